"""python-binance's depth cache against the exchange: threaded and asynchronous."""

import asyncio
import sys
import time

import binance
from binance import AsyncClient, BinanceSocketManager, DepthCacheManager, ThreadedDepthCacheManager

from book_checker import BookChecker, report

_, kind, rest, streams, seconds = sys.argv
SYMBOLS = ["BTCUSDT", "ETHUSDT"]

# Class attributes, because the threaded manager makes its own client.
AsyncClient.API_URL = rest + "/api"
BinanceSocketManager.STREAM_URL = streams + "/"

checker = BookChecker("spot", rest, streams, SYMBOLS)
messages = 0
first = {}
started = time.time()


def take(cache):
    global messages
    messages += 1
    first.setdefault(cache.symbol, time.time() - started)
    checker.seen_at(cache.symbol, cache.update_time, cache.get_bids(), cache.get_asks())


async def run():
    client = await AsyncClient.create()

    async def follow(symbol):
        async with DepthCacheManager(client, symbol, limit=1000, ws_interval=100) as manager:
            while time.time() - started < float(seconds):
                cache = await manager.recv()
                if cache is not None:
                    take(cache)

    await asyncio.wait_for(asyncio.gather(*map(follow, SYMBOLS)), float(seconds) + 5)
    await client.close_connection()


def run_threaded():
    threaded = ThreadedDepthCacheManager()
    threaded.start()
    for symbol in SYMBOLS:
        # A dictionary instead of a cache tells of an error.
        threaded.start_depth_cache(
            lambda cache: None if isinstance(cache, dict) else take(cache), symbol, limit=1000, ws_interval=100)
    time.sleep(float(seconds))


if kind == "threaded":
    run_threaded()
else:
    asyncio.run(run())
report(
    f"python-binance {'Threaded' if kind == 'threaded' else ''}DepthCacheManager", binance.__version__,
    "AsyncClient.API_URL, BinanceSocketManager.STREAM_URL", messages,
    max(first.values()) if len(first) == len(SYMBOLS) else None, checker)
