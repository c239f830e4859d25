"""What one would write in an afternoon: the same work as `lob run --serve` out of aiohttp and websockets, at its best.

Usage: relay.py PORT REST STREAMS SYMBOL[,SYMBOL…]. Spot. Keeps every book by the venue's recipe, answers
`/api/v3/depth` by aiohttp on PORT, and passes every update on to the clients of `/ws/…` and `/stream?streams=…` on PORT + 1
by `websockets.broadcast`, which encodes a message once for all. uvloop if it is installed. An answer is made once for
each state of the book and depth. It bridges nothing, proves nothing, limits nobody.
"""

import asyncio
import json
import sys
import urllib.parse
from bisect import bisect_left

import aiohttp
import websockets
from aiohttp import web
from websockets.asyncio.server import broadcast, serve

try:
    import uvloop
except ImportError:
    uvloop = None

_, PORT, REST, STREAMS, SYMBOLS = sys.argv
SYMBOLS = SYMBOLS.split(",")


class Side:
    """Levels by price, with the prices in order."""

    def __init__(self, levels, sign):
        self.sign, self.levels = sign, dict(levels)
        self.prices = sorted((sign * float(price), price) for price in self.levels)

    def apply(self, changes):
        for price, quantity in changes:
            key = (self.sign * float(price), price)
            at = bisect_left(self.prices, key)
            is_there = at < len(self.prices) and self.prices[at] == key
            if float(quantity) == 0:
                if is_there:
                    del self.prices[at]
                    del self.levels[price]
            else:
                if not is_there:
                    self.prices.insert(at, key)
                self.levels[price] = quantity

    def best(self, count):
        return [[price, self.levels[price]] for _, price in self.prices[:count]]


class Book:
    """A symbol: its levels, its clients, its answers."""

    def __init__(self):
        self.id, self.buffer, self.answers, self.plain, self.combined = None, [], {}, set(), set()

    def start(self, snapshot):
        self.id = snapshot["lastUpdateId"]
        self.bids, self.asks = Side(snapshot["bids"], -1), Side(snapshot["asks"], 1)
        for update in self.buffer:
            self.apply(update)

    def apply(self, update):
        if self.id is None:
            return self.buffer.append(update)
        if update["u"] > self.id:
            self.id = update["u"]
            self.bids.apply(update["b"])
            self.asks.apply(update["a"])
            self.answers.clear()

    def answer(self, limit):
        if limit not in self.answers:
            self.answers[limit] = json.dumps(
                {"lastUpdateId": self.id, "bids": self.bids.best(limit), "asks": self.asks.best(limit)},
                separators=(",", ":")).encode()
        return self.answers[limit]


BOOKS = {symbol.lower(): Book() for symbol in SYMBOLS}


async def follow(session):
    names = "/".join(f"{name}@depth@100ms" for name in BOOKS)
    async with websockets.connect(f"{STREAMS}/stream?streams={names}", max_queue=None, compression=None) as socket:
        asyncio.get_running_loop().create_task(fetch(session))
        async for text in socket:
            message = json.loads(text)
            update = message["data"]
            book = BOOKS[update["s"].lower()]
            book.apply(update)
            broadcast(book.combined, text)
            if book.plain:
                # The message inside of the wrapper, as it is.
                broadcast(book.plain, text[text.index('"data":') + 7:-1])


async def fetch(session):
    for name, book in BOOKS.items():
        async with session.get(f"{REST}/api/v3/depth?symbol={name.upper()}&limit=1000") as answer:
            book.start(await answer.json(content_type=None))
    print("ready", flush=True)


async def depth(request):
    book = BOOKS[request.query["symbol"].lower()]
    return web.Response(body=book.answer(int(request.query.get("limit", "100"))), content_type="application/json")


async def stream(socket):
    target = urllib.parse.urlsplit(socket.request.path)
    is_combined = target.path == "/stream"
    names = (urllib.parse.parse_qs(target.query)["streams"][0] if is_combined else target.path[4:]).split("/")
    places = [getattr(BOOKS[name.split("@")[0]], "combined" if is_combined else "plain") for name in names]
    for place in places:
        place.add(socket)
    try:
        await socket.wait_closed()
    finally:
        for place in places:
            place.discard(socket)


async def main():
    application = web.Application()
    application.router.add_get("/api/v3/depth", depth)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", int(PORT)).start()
    async with aiohttp.ClientSession() as session, serve(stream, "127.0.0.1", int(PORT) + 1, compression=None):
        await follow(session)


if uvloop:
    uvloop.install()
asyncio.run(main())
