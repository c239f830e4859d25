"""unicorn-binance-local-depth-cache against the exchange."""

import sys
import time
from importlib.metadata import version

from unicorn_binance_local_depth_cache import BinanceLocalDepthCacheManager
from unicorn_binance_rest_api import BinanceRestApiManager

from book_checker import BookChecker, report

# The REST manager of futures asks the spot host for time and weight.
_, market, rest, streams, spot_rest, seconds = sys.argv
SYMBOLS = ["BTCUSDT", "ETHUSDT"]
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

while time.time() - started < float(seconds):
    for symbol in SYMBOLS:
        if not manager.is_depth_cache_synchronized(symbol):
            continue
        first.setdefault(symbol, time.time() - started)
        # Best levels and id are read one after the other: only a reading between two equal ids counts.
        before = manager.depth_caches[symbol.lower()]["last_update_id"]
        bids = manager.get_bids(symbol, limit_count=20)
        asks = manager.get_asks(symbol, limit_count=20)
        if manager.depth_caches[symbol.lower()]["last_update_id"] == before:
            checker.seen(symbol, before, bids, asks)
    time.sleep(0.02)
report(
    f"unicorn depth cache {market}", version("unicorn-binance-local-depth-cache"),
    "BinanceRestApiManager.API_URL and .FUTURES_URL, ubwa.websocket_base_uri",
    manager.ubwa.total_receives,
    max(first.values()) if len(first) == len(SYMBOLS) else None, checker)
