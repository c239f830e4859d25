"""Binance's official SDKs, binance-sdk-spot and binance-sdk-derivatives-trading-usds-futures: their REST and their
streams under the venue's own recipe."""

import asyncio
import sys
import time
from importlib.metadata import version

from binance_common.configuration import ConfigurationRestAPI, ConfigurationWebSocketStreams

from book_checker import SYMBOLS, BookChecker, report
from recipe import Book

_, market, rest, streams, seconds = sys.argv
if market == "spot":
    from binance_sdk_spot.spot import Spot as Client

    PACKAGE = "binance-sdk-spot"
else:
    from binance_sdk_derivatives_trading_usds_futures.derivatives_trading_usds_futures import (
        DerivativesTradingUsdsFutures as Client)

    PACKAGE = "binance-sdk-derivatives-trading-usds-futures"

SYMBOLS = SYMBOLS[market]
checker = BookChecker(market, rest, streams, SYMBOLS)
books = {symbol: Book(market) for symbol in SYMBOLS}
messages = 0
first = {}
started = time.time()
client = Client(
    config_rest_api=ConfigurationRestAPI(base_path=rest),
    config_ws_streams=ConfigurationWebSocketStreams(stream_url=streams))


def levels(side):
    """Pairs out of the SDK's models, which hold a level as a list or as a list in a root."""
    return [tuple(getattr(level, "root", level)[:2]) for level in side or []]


def take(update):
    global messages
    messages += 1
    fields = update.model_dump(by_alias=True)
    fields["b"], fields["a"] = levels(update.b), levels(update.a)
    symbol = fields["s"]
    book = books[symbol]
    if book.take(fields):
        first.setdefault(symbol, time.time() - started)
        checker.seen(symbol, book.id, *book.best())


def snapshot(symbol):
    """A snapshot, asked again where the server says that it has none at the moment."""
    while True:
        try:
            call = client.rest_api.depth if market == "spot" else client.rest_api.order_book
            data = call(symbol=symbol, limit=1000).data()
            return {"lastUpdateId": data.last_update_id, "bids": levels(data.bids), "asks": levels(data.asks)}
        except Exception:
            time.sleep(0.2)


async def run():
    connection = await client.websocket_streams.create_connection()
    for symbol in SYMBOLS:
        if market == "spot":
            stream = await connection.diff_book_depth(symbol=symbol.lower(), update_speed="100ms")
        else:
            stream = await connection.diff_book_depth_streams(symbol=symbol.lower(), update_speed="100ms")
        stream.on("message", take)
    for symbol in SYMBOLS:
        while not books[symbol].has_begun:
            await asyncio.sleep(0.01)
        books[symbol].start(await asyncio.to_thread(snapshot, symbol))
    await asyncio.sleep(max(0, float(seconds) - (time.time() - started)))


asyncio.run(run())
report(
    f"{PACKAGE}", version(PACKAGE), "ConfigurationRestAPI(base_path), ConfigurationWebSocketStreams(stream_url)",
    messages, max(first.values()) if len(first) == len(SYMBOLS) else None, checker,
    sum(book.holes + book.late for book in books.values()))
