"""The books of Python: the documented recipe and what packages offer, each used as its documentation uses it.

A book has `load(bids, asks)` and `update(bids, asks)` with lists of [price, quantity] as they stand on the
wire, `best()`, and `levels()`: two lists of (price, quantity), best first. Prices are floats where the
package lets the user choose, because nothing is faster."""

from bisect import bisect_left, insort
from importlib.metadata import version


class DictBisect:
    """A dict of quantities, and the prices of each side in a list kept by bisection."""

    name = "dict + bisect"

    def load(self, bids, asks):
        self.bids = {float(p): float(q) for p, q, *_ in bids}
        self.asks = {float(p): float(q) for p, q, *_ in asks}
        self.bid_prices = sorted(self.bids)
        self.ask_prices = sorted(self.asks)

    def update(self, bids, asks):
        self._side(self.bids, self.bid_prices, bids)
        self._side(self.asks, self.ask_prices, asks)

    @staticmethod
    def _side(quantities, prices, levels):
        for text in levels:
            price = float(text[0])
            quantity = float(text[1])
            if quantity == 0:
                if quantities.pop(price, None) is not None:
                    del prices[bisect_left(prices, price)]
            else:
                if price not in quantities:
                    insort(prices, price)
                quantities[price] = quantity

    def best(self):
        bid = self.bid_prices[-1] if self.bid_prices else None
        ask = self.ask_prices[0] if self.ask_prices else None
        return bid, self.bids.get(bid), ask, self.asks.get(ask)

    def levels(self):
        return ([(p, self.bids[p]) for p in reversed(self.bid_prices)],
                [(p, self.asks[p]) for p in self.ask_prices])


class SortedContainers:
    name = "sortedcontainers"

    def __init__(self):
        from sortedcontainers import SortedDict
        self.make = SortedDict
        self.name += " " + version("sortedcontainers")

    def load(self, bids, asks):
        self.bids = self.make((float(p), float(q)) for p, q, *_ in bids)
        self.asks = self.make((float(p), float(q)) for p, q, *_ in asks)

    def update(self, bids, asks):
        for side, levels in ((self.bids, bids), (self.asks, asks)):
            for text in levels:
                quantity = float(text[1])
                if quantity == 0:
                    side.pop(float(text[0]), None)
                else:
                    side[float(text[0])] = quantity

    def best(self):
        bid = self.bids.peekitem(-1) if self.bids else (None, None)
        ask = self.asks.peekitem(0) if self.asks else (None, None)
        return *bid, *ask

    def levels(self):
        return list(reversed(self.bids.items())), list(self.asks.items())


class OrderBookC:
    name = "order-book (C)"

    def __init__(self):
        from order_book import OrderBook
        self.make = OrderBook
        self.name += " " + version("order-book")

    def load(self, bids, asks):
        self.book = self.make()
        self.book.bids = {float(p): float(q) for p, q, *_ in bids}
        self.book.asks = {float(p): float(q) for p, q, *_ in asks}

    def update(self, bids, asks):
        for side, levels in ((self.book.bids, bids), (self.book.asks, asks)):
            for text in levels:
                price = float(text[0])
                quantity = float(text[1])
                if quantity == 0:
                    if price in side:
                        del side[price]
                else:
                    side[price] = quantity

    def best(self):
        bids, asks = self.book.bids, self.book.asks
        bid = bids.index(0) if len(bids) else (None, None)
        ask = asks.index(0) if len(asks) else (None, None)
        return *bid, *ask

    def levels(self):
        return list(self.book.bids.to_list()), list(self.book.asks.to_list())


class PythonBinance:
    """The class its `DepthCacheManager` fills; the best price is the first of a list it sorts when asked."""

    name = "python-binance"

    def __init__(self):
        from binance.ws.depthcache import DepthCache
        self.make = DepthCache
        self.name += " " + version("python-binance")

    def load(self, bids, asks):
        self.cache = self.make("SYMBOL")
        self.update(bids, asks)

    def update(self, bids, asks):
        for level in bids:
            self.cache.add_bid(level)
        for level in asks:
            self.cache.add_ask(level)

    def best(self):
        bids, asks = self.cache.get_bids(), self.cache.get_asks()
        return *(bids[0] if bids else (None, None)), *(asks[0] if asks else (None, None))

    def levels(self):
        return self.cache.get_bids(), self.cache.get_asks()


class CCXT:
    """The book and the message handler of ccxt.pro's `binance`."""

    name = "ccxt"

    def __init__(self):
        import ccxt.pro
        from ccxt.async_support.base.ws.order_book import OrderBook
        self.make = OrderBook
        self.exchange = ccxt.pro.binance()
        self.name += " " + version("ccxt")

    def load(self, bids, asks):
        self.book = self.make({"bids": [[float(p), float(q)] for p, q, *_ in bids],
                               "asks": [[float(p), float(q)] for p, q, *_ in asks]})
        self.bids, self.asks = self.book["bids"], self.book["asks"]

    def update(self, bids, asks):
        self.exchange.handle_deltas(self.asks, asks)
        self.exchange.handle_deltas(self.bids, bids)

    def best(self):
        bid = self.bids[0] if self.bids else (None, None)
        ask = self.asks[0] if self.asks else (None, None)
        return *bid, *ask

    def levels(self):
        return self.bids, self.asks


class Nautilus:
    """The book of nautilus_trader, in Rust, fed with the objects its Binance adapter makes."""

    name = "nautilus_trader"

    def __init__(self):
        from nautilus_trader.model import data, enums, objects
        from nautilus_trader.model.book import OrderBook
        from nautilus_trader.model.identifiers import InstrumentId
        self.instrument = InstrumentId.from_str("SYMBOL.BINANCE")
        self.make = lambda: OrderBook(self.instrument, enums.BookType.L2_MBP)
        self.order, self.delta, self.deltas = data.BookOrder, data.OrderBookDelta, data.OrderBookDeltas
        self.price, self.quantity = objects.Price.from_str, objects.Quantity.from_str
        self.buy, self.sell = enums.OrderSide.BUY, enums.OrderSide.SELL
        self.set, self.remove = enums.BookAction.UPDATE, enums.BookAction.DELETE
        self.name += " " + version("nautilus_trader")

    def load(self, bids, asks):
        self.book = self.make()
        self.update(bids, asks)

    def update(self, bids, asks):
        deltas = []
        for side, levels in ((self.buy, bids), (self.sell, asks)):
            for text in levels:
                quantity = self.quantity(text[1])
                order = self.order(side, self.price(text[0]), quantity, 0)
                action = self.set if quantity.raw else self.remove
                deltas.append(self.delta(self.instrument, action, order, 0, 0, 0, 0))
        if deltas:
            self.book.apply_deltas(self.deltas(self.instrument, deltas))

    def best(self):
        book = self.book
        return (book.best_bid_price(), book.best_bid_size(), book.best_ask_price(), book.best_ask_size())

    def levels(self):
        return ([(level.price, level.size()) for level in self.book.bids()],
                [(level.price, level.size()) for level in self.book.asks()])


BOOKS = {
    "dict-bisect": DictBisect,
    "sortedcontainers": SortedContainers,
    "order-book": OrderBookC,
    "python-binance": PythonBinance,
    "ccxt": CCXT,
    "nautilus_trader": Nautilus,
}
