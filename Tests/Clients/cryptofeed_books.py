"""cryptofeed's L2_BOOK against the exchange: spot and USD-M. It speaks TLS only; the authority is in SSL_CERT_FILE.

A snapshot that is refused makes it connect anew; what must not be is that it misses an update, which it logs.
"""

import logging
import sys
import threading
import time
from importlib.metadata import version

from cryptofeed import FeedHandler
from cryptofeed.connection import RestEndpoint, Routes, WebsocketEndpoint
from cryptofeed.defines import L2_BOOK
from cryptofeed.exchanges import Binance, BinanceFutures

from book_checker import SYMBOLS, BookChecker, report

_, market, rest, streams, seconds = sys.argv
SYMBOLS = SYMBOLS[market]
KIND = {"spot": Binance, "usdm": BinanceFutures}[market]
PREFIX = {"spot": "/api/v3", "usdm": "/fapi/v1"}[market]

checker = BookChecker(market, rest, streams, SYMBOLS)
messages = 0
missed = 0
first = {}
started = time.time()
KIND.websocket_endpoints = [WebsocketEndpoint(streams + ("/public" if market == "usdm" else ""))]
KIND.rest_endpoints = [
    RestEndpoint(rest, routes=Routes(f"{PREFIX}/exchangeInfo", l2book=PREFIX + "/depth?symbol={}&limit={}"))]


async def take(book, _):
    global messages
    messages += 1
    symbol = book.raw.get("s") or book.symbol.replace("-PERP", "").replace("-", "")
    first.setdefault(symbol, time.time() - started)

    def best(levels):
        return [(price, levels[price]) for price in (levels.index(place)[0] for place in range(min(len(levels), 50)))]

    checker.seen(symbol, book.sequence_number, best(book.book.bids), best(book.book.asks))


class Ear(logging.Handler):
    """Counts the updates that it has missed."""

    def emit(self, record):
        global missed
        missed += "Missing book update" in record.getMessage()


def run():
    logging.getLogger("feedhandler").addHandler(Ear())
    handler = FeedHandler(config={"log": {"disabled": True}})
    names = [name.replace("USDT", "-USDT" + ("-PERP" if market == "usdm" else "")) for name in SYMBOLS]
    handler.add_feed(KIND(symbols=names, channels=[L2_BOOK], callbacks={L2_BOOK: take}, depth_interval="100ms"))
    handler.run(install_signal_handlers=False)


def end():
    time.sleep(float(seconds))
    report(
        f"cryptofeed {KIND.__name__}", version("cryptofeed"), "websocket_endpoints, rest_endpoints", messages,
        max(first.values()) if len(first) == len(SYMBOLS) else None, checker, missed)


threading.Thread(target=end, daemon=True).start()
run()
