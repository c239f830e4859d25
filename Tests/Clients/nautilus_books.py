"""nautilus_trader's books of level-2 deltas: spot and USD-M. It tests no ids, so a hole stays in its book.

It makes holes by itself: it asks for a snapshot before it knows that it is subscribed, so that the snapshot may be
older than its stream. On spot it sends more messages in a second than the venue allows, is disconnected, and asks
for second snapshots while the first are under way, each of which may replace a book that is already further. So
the ids of what it receives are watched here: its book is compared from a snapshot on that is not older than the
book, for as long as one update follows the other. A hole in the midst of them is no fault of its own, and fails.
"""

import collections
import json
import os
import sys
import threading
import time
from importlib.metadata import version

from nautilus_trader.adapters.binance.common.enums import BinanceAccountType
from nautilus_trader.adapters.binance.data import BinanceCommonDataClient
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
started = time.time()


class Chain:
    """What a book of the client must be by the ids of what has been applied to it."""

    def __init__(self):
        self.id, self.is_right, self.is_at_snapshot, self.holes, self.spoils = 0, False, False, 0, 0

    def start(self, snapshot_id):
        """Its book is now a snapshot, which may be older than the book was."""
        self.spoils += snapshot_id < self.id
        self.is_right, self.is_at_snapshot = snapshot_id >= self.id, True
        self.id = snapshot_id

    def take(self, first, last, previous):
        """An update has been applied, whatever its ids are."""
        if last == self.id:
            return
        if not self._follows(first, last, previous) and self.is_right:
            self.holes += not self.is_at_snapshot
            self.spoils += self.is_at_snapshot
            self.is_right = False
        self.id, self.is_at_snapshot = last, False

    def _follows(self, first, last, previous):
        if last < self.id:
            return False
        if market == "spot":
            return first <= self.id + 1 if self.is_at_snapshot else first == self.id + 1
        return previous <= self.id if self.is_at_snapshot else previous == self.id


chains = collections.defaultdict(Chain)
# First id and previous last id of what has been received, by symbol and last id.
received = {}
take, reconnect = BinanceCommonDataClient._handle_book_diff_update, BinanceCommonDataClient._reconnect


def listen(self, raw):
    """Notes an update's ids before the client has it."""
    update = json.loads(raw)["data"]
    received[update["s"], update["u"]] = update["U"], update.get("pu")
    take(self, raw)


async def begin_anew(self):
    """What comes on a new connection need not follow what came before."""
    for chain in chains.values():
        chain.is_right = False
    await reconnect(self)


BinanceCommonDataClient._handle_book_diff_update, BinanceCommonDataClient._reconnect = listen, begin_anew


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
        chain = chains[symbol]
        if deltas.is_snapshot:
            chain.start(deltas.sequence)
        else:
            first_id, previous = received.pop((symbol, deltas.sequence))
            chain.take(first_id, deltas.sequence, previous)
        if not chain.is_right:
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
    spoils = sum(chain.spoils for chain in chains.values())
    report(
        f"nautilus_trader {market}" + (f", {spoils} spoiled by itself" if spoils else ""),
        version("nautilus_trader"), "base_url_http, base_url_ws", messages,
        max(first.values()) if len(first) == len(SYMBOLS) else None, checker,
        sum(chain.holes for chain in chains.values()))


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
