"""ccxt.pro's watchOrderBook against the exchange: spot, USD-M and COIN-M."""

import asyncio
import sys
import time

import ccxt.pro
from ccxt.base.errors import ChecksumError

from book_checker import BookChecker, report

_, market, rest, streams, seconds = sys.argv
KIND = {"spot": "spot", "usdm": "linear", "coinm": "inverse"}[market]
SYMBOLS = {
    "spot": {"BTC/USDT": "BTCUSDT", "ETH/USDT": "ETHUSDT"},
    "usdm": {"BTC/USDT:USDT": "BTCUSDT", "ETH/USDT:USDT": "ETHUSDT"},
    "coinm": {"BTC/USD:BTC": "BTCUSD_PERP"},
}[market]

checker = BookChecker(market, rest, streams, list(SYMBOLS.values()))
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
            except ChecksumError:
                # On COIN-M it applies the bridging rule of spot to the buffered events, and so refuses a chain
                # that begins behind its snapshot's id; calling again is what its message asks for.
                continue
            messages += 1
            first.setdefault(symbol, time.time() - started)
            checker.seen(name, book["nonce"], book["bids"], book["asks"])

    try:
        await asyncio.wait_for(
            asyncio.gather(*(follow(*pair) for pair in SYMBOLS.items())), float(seconds) + 5)
    finally:
        await exchange.close()


asyncio.run(run())
report(
    f"ccxt.pro {market}", ccxt.__version__, f"urls.api.*, urls.api.ws.{KIND}", messages,
    max(first.values()) if len(first) == len(SYMBOLS) else None, checker)
