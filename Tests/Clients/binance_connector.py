"""binance-connector (spot) and binance-futures-connector (USD-M): their REST and their streams under the venue's own
recipe."""

import json
import sys
import time
from importlib.metadata import version

from book_checker import SYMBOLS, BookChecker, report
from recipe import Book

_, market, rest, streams, seconds = sys.argv
if market == "spot":
    from binance.spot import Spot as Client
    from binance.websocket.spot.websocket_stream import SpotWebsocketStreamClient as Streams

    PACKAGE = "binance-connector"
else:
    from binance.um_futures import UMFutures as Client
    from binance.websocket.um_futures.websocket_client import UMFuturesWebsocketClient as Streams

    PACKAGE = "binance-futures-connector"

SYMBOLS = SYMBOLS[market]
checker = BookChecker(market, rest, streams, SYMBOLS)
books = {symbol: Book(market) for symbol in SYMBOLS}
messages = 0
first = {}
started = time.time()
client = Client(base_url=rest)


def take(_, text):
    global messages
    update = json.loads(text)
    if "s" not in update:
        return
    messages += 1
    symbol = update["s"]
    book = books[symbol]
    if book.take(update):
        first.setdefault(symbol, time.time() - started)
        checker.seen(symbol, book.id, *book.best())


socket = Streams(stream_url=streams, on_message=take)
socket.subscribe([f"{symbol.lower()}@depth@100ms" for symbol in SYMBOLS])
for symbol in SYMBOLS:
    while not books[symbol].has_begun:
        time.sleep(0.01)
    while books[symbol].id is None:
        try:
            books[symbol].start(client.depth(symbol, limit=1000))
        except Exception:
            # The server has none at the moment.
            time.sleep(0.2)
time.sleep(max(0, float(seconds) - (time.time() - started)))
report(
    PACKAGE, version(PACKAGE), "base_url, stream_url", messages,
    max(first.values()) if len(first) == len(SYMBOLS) else None, checker,
    sum(book.holes + book.late for book in books.values()))
