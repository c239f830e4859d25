"""unicorn-binance-local-depth-cache against the exchange."""

import os
import sys
import time
from importlib.metadata import version

from unicorn_binance_local_depth_cache import BinanceLocalDepthCacheManager
from unicorn_binance_rest_api import BinanceRestApiManager

from book_checker import NEEDED, SYMBOLS, BookChecker, report

# The REST manager of futures asks the spot host for time and weight.
_, market, rest, streams, seconds = sys.argv
spot_rest = os.environ["LOB_SPOT_REST"]
# Each costs it the five seconds between two snapshots, so there are two, and few comparisons. And it drops what
# lies beyond 1,000 levels by the order of the prices as texts, where 99.85 is a better bid than 154.80: only books
# whose prices all have as many digits stay right.
SYMBOLS = SYMBOLS[market][:2]
NAME = {"spot": "binance.com", "usdm": "binance.com-futures"}[market]

checker = BookChecker(market, rest, streams, SYMBOLS)
started = time.time()
first = {}

# Told an exchange, the REST manager asks a built-in host for its time before anything can be set; told a top
# level domain, it fills that into its class attributes, which can be.
BinanceRestApiManager.API_URL = spot_rest + "/api"
BinanceRestApiManager.FUTURES_URL = rest + "/fapi"
requests = BinanceRestApiManager(tld="com", warn_on_update=False)
manager = BinanceLocalDepthCacheManager(
    exchange=NAME, ubra_manager=requests, warn_on_update=False, init_interval=0.5)
manager.ubwa.websocket_base_uri = streams + "/"
manager.create_depthcache(markets=SYMBOLS)

def reading(symbol):
    """Id and best levels, which are read one after the other."""
    book = manager.depth_caches[symbol.lower()]["last_update_id"]
    return book, manager.get_bids(symbol, limit_count=50), manager.get_asks(symbol, limit_count=50)


while time.time() - started < float(seconds):
    synchronised = [symbol for symbol in SYMBOLS if manager.is_depth_cache_synchronized(symbol)]
    for symbol in synchronised:
        first.setdefault(symbol, time.time() - started)
    # An update changes the levels first and the id last: what counts is a reading that is the same a little later.
    before = {symbol: reading(symbol) for symbol in synchronised}
    time.sleep(0.03)
    for symbol in synchronised:
        if reading(symbol) == before[symbol]:
            checker.seen(symbol, *before[symbol])
report(
    f"unicorn depth cache {market}", version("unicorn-binance-local-depth-cache"),
    "BinanceRestApiManager.API_URL and .FUTURES_URL, ubwa.websocket_base_uri",
    manager.ubwa.total_receives,
    max(first.values()) if len(first) == len(SYMBOLS) else None, checker, needed=min(NEEDED, 100))
