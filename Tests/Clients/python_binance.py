"""python-binance's depth cache against the exchange: threaded and asynchronous."""

import asyncio
import sys
import time

import binance
from binance.exceptions import BinanceAPIException
from binance import AsyncClient, BinanceSocketManager, DepthCacheManager, ThreadedDepthCacheManager

from book_checker import SYMBOLS, BookChecker, report

_, kind, rest, streams, seconds = sys.argv
SYMBOLS = SYMBOLS["spot"]

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
    # A newcomer's first update may be an old one with a new time, which tells nothing of the id.
    if cache.symbol in first:
        checker.seen_at(cache.symbol, cache.update_time, cache.get_bids(), cache.get_asks())
    first.setdefault(cache.symbol, time.time() - started)


async def run():
    client = await AsyncClient.create()

    async def follow(symbol):
        # A book that the server cannot show at the moment is asked for again, as any program would.
        while time.time() - started < float(seconds):
            try:
                await follow_once(symbol)
            except BinanceAPIException:
                await asyncio.sleep(0.2)

    async def follow_once(symbol):
        async with DepthCacheManager(client, symbol, limit=1000, ws_interval=100) as manager:
            while time.time() - started < float(seconds):
                cache = await manager.recv()
                if cache is not None:
                    take(cache)

    # A book that is silent at the end, as while its stream stalls, keeps nobody waiting.
    tasks = [asyncio.create_task(follow(symbol)) for symbol in SYMBOLS]
    done, silent = await asyncio.wait(tasks, timeout=float(seconds) + 1, return_when=asyncio.FIRST_EXCEPTION)
    for task in silent:
        task.cancel()
    await asyncio.gather(*silent, return_exceptions=True)
    for task in done:
        task.result()
    await client.close_connection()


def run_threaded():
    threaded = ThreadedDepthCacheManager()
    threaded.start()
    while time.time() - started < float(seconds):
        # The listener of a book that the server cannot show at the moment ends with an error; it is begun again.
        for symbol in SYMBOLS:
            if symbol not in first:
                # A dictionary instead of a cache tells of an error.
                threaded.start_depth_cache(
                    lambda cache: None if isinstance(cache, dict) else take(cache), symbol, limit=1000,
                    ws_interval=100)
        time.sleep(3)


if kind == "threaded":
    run_threaded()
else:
    asyncio.run(run())
report(
    f"python-binance {'Threaded' if kind == 'threaded' else ''}DepthCacheManager", binance.__version__,
    "AsyncClient.API_URL, BinanceSocketManager.STREAM_URL", messages,
    max(first.values()) if len(first) == len(SYMBOLS) else None, checker)
