"""nautilus_trader's books of level-2 deltas: spot and USD-M. It tests no ids, so a hole stays in its book.

It makes one by itself: it asks for two snapshots of a book and drops what it has buffered for the first, and the second
may replace a book that is already further. Books are compared from the second on, and one that went back is spoiled,
here as at the venue, and left out.
"""

import collections
import os
import sys
import threading
import time
from importlib.metadata import version

from nautilus_trader.adapters.binance.common.enums import BinanceAccountType
from nautilus_trader.adapters.binance.config import BinanceDataClientConfig
from nautilus_trader.adapters.binance.factories import BinanceLiveDataClientFactory
from nautilus_trader.config import InstrumentProviderConfig, LoggingConfig, TradingNodeConfig
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.enums import BookType
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.trading.strategy import Strategy

from book_checker import SYMBOLS, BookChecker, report

_, market, rest, streams, seconds = sys.argv
SYMBOLS = SYMBOLS[market]
SUFFIX = "-PERP" if market == "usdm" else ""

checker = BookChecker(market, rest, streams, SYMBOLS)
messages = 0
first = {}
at = {}
snapshots = collections.Counter()
spoiled = set()
started = time.time()


def exact(number):
    """Its floats are sums and products; the venue's numbers have no more digits than this."""
    return float(f"{number:.12g}")


class Follower(Strategy):
    """Hands in every book after every update of it."""

    def on_start(self):
        for symbol in SYMBOLS:
            self.subscribe_order_book_deltas(
                InstrumentId.from_str(f"{symbol}{SUFFIX}.BINANCE"), book_type=BookType.L2_MBP)

    def on_order_book_deltas(self, deltas):
        global messages
        messages += 1
        symbol = deltas.instrument_id.symbol.value.removesuffix(SUFFIX)
        if deltas.is_snapshot and deltas.sequence < at.get(symbol, 0):
            spoiled.add(symbol)
        at[symbol] = deltas.sequence
        snapshots[symbol] += deltas.is_snapshot
        if symbol in spoiled or snapshots[symbol] < 2:
            return
        book = self.cache.order_book(deltas.instrument_id)
        if book is None or book.sequence != deltas.sequence:
            return
        first.setdefault(symbol, time.time() - started)
        checker.seen(symbol, book.sequence, *(
            [(exact(level.price.as_double()), exact(level.size())) for level in levels[:50]]
            for levels in (book.bids(), book.asks())))


def end():
    time.sleep(float(seconds))
    report(
        f"nautilus_trader {market}" + (f", {len(spoiled)} books spoiled by itself" if spoiled else ""), version("nautilus_trader"), "base_url_http, base_url_ws", messages,
        max(first.values()) if len(first) == len(SYMBOLS) else None, checker)


threading.Thread(target=end, daemon=True).start()
node = TradingNode(TradingNodeConfig(
    logging=LoggingConfig(log_level=os.environ.get("LOB_NAUTILUS_LOG", "OFF")),
    data_clients={"BINANCE": BinanceDataClientConfig(
        api_key="none", api_secret="none",
        account_type=BinanceAccountType.SPOT if market == "spot" else BinanceAccountType.USDT_FUTURES,
        base_url_http=rest, base_url_ws=streams,
        instrument_provider=InstrumentProviderConfig(load_all=False))}))
node.trader.add_strategy(Follower())
node.add_data_client_factory("BINANCE", BinanceLiveDataClientFactory)
node.build()
node.run()
