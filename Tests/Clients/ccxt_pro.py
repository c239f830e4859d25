"""ccxt.pro's watchOrderBook against the exchange: spot, USD-M and COIN-M."""

import asyncio
import sys
import time

import ccxt.pro
from ccxt.base.errors import ChecksumError, ExchangeNotAvailable

from book_checker import SYMBOLS, BookChecker, report

_, market, rest, streams, seconds = sys.argv
KIND = {"spot": "spot", "usdm": "linear", "coinm": "inverse"}[market]

SYMBOLS = SYMBOLS[market]
checker = BookChecker(market, rest, streams, SYMBOLS)
messages = 0
first = {}
started = time.time()


async def run():
    kind = {"spot": ccxt.pro.binance, "usdm": ccxt.pro.binanceusdm, "coinm": ccxt.pro.binancecoinm}[market]
    exchange = kind({"options": {"fetchMarkets": {"types": [KIND]}}})
    exchange.urls["api"]["public"] = rest + "/api/v3"
    exchange.urls["api"]["fapiPublic"] = rest + "/fapi/v1"
    exchange.urls["api"]["dapiPublic"] = rest + "/dapi/v1"
    exchange.urls["api"]["ws"][KIND] = streams + "/ws"

    async def follow(symbol, name):
        global messages
        while time.time() - started < float(seconds):
            try:
                book = await exchange.watch_order_book(symbol)
            except ExchangeNotAvailable:
                # The server has no such book at the moment.
                await asyncio.sleep(0.2)
                continue
            except ChecksumError:
                # On COIN-M it applies the bridging rule of spot to the buffered events, and so refuses a chain
                # that begins behind its snapshot's id; calling again is what its message asks for.
                continue
            messages += 1
            first.setdefault(symbol, time.time() - started)
            checker.seen(name, book["nonce"], book["bids"], book["asks"])

    try:
        await exchange.load_markets()
        names = {name: exchange.markets_by_id[name][0]["symbol"] for name in SYMBOLS}
        tasks = [asyncio.create_task(follow(names[name], name)) for name in SYMBOLS]
        await asyncio.wait(tasks, timeout=float(seconds) + 1)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    finally:
        await exchange.close()


asyncio.run(run())
report(
    f"ccxt.pro {market}", ccxt.__version__, f"urls.api.*, urls.api.ws.{KIND}", messages,
    max(first.values()) if len(first) == len(SYMBOLS) else None, checker)
