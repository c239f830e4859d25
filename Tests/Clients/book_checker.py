"""What the exchange says of its own books, gathered beside a client that is being tried.

Two witnesses: the partial-depth stream, which shows the best 20 levels of the true book at the id of every
update, and REST snapshots. A client hands in its best 20 levels with the update id they are of; whatever the
witnesses said of the same id must be equal, level by level.
"""

import asyncio
import json
import os
import sys
import threading
import time
import urllib.request

import websockets

LEVELS = 20


def side(levels):
    """The best levels of one side as pairs of floats."""
    return [(float(price), float(quantity)) for price, quantity, *_ in levels[:LEVELS]]


class BookChecker:
    """Listens to an exchange in a thread of its own."""

    def __init__(self, market, rest, streams, symbols):
        # Where a server stands between the two, the exchange is asked itself.
        self.market, self.symbols = market, symbols
        self.rest = os.environ.get("LOB_CHECKER_REST", rest)
        self.streams = os.environ.get("LOB_CHECKER_STREAMS", streams)
        self.by_stream, self.by_rest, self.by_client = {}, {}, {}
        # Update ids by event time, for clients that only keep that; and what such clients have handed in.
        self.id_at, self.by_client_time = {}, {}
        self.stopped = False
        self.threads = [
            threading.Thread(target=lambda: asyncio.run(self._listen()), daemon=True),
            threading.Thread(target=self._poll, daemon=True),
        ]
        for thread in self.threads:
            thread.start()

    async def _listen(self):
        # At the pace of the order flow, so that every id of every slower stream is among them.
        pace = "100ms" if self.market == "spot" else "0ms"
        names = "/".join(
            f"{symbol.lower()}@{stream}@{pace}" for symbol in self.symbols for stream in ("depth20", "depth"))
        prefix = "/public" if self.market == "usdm" else ""
        async with websockets.connect(f"{self.streams}{prefix}/stream?streams={names}") as socket:
            while not self.stopped:
                message = json.loads(await socket.recv())
                symbol = message["stream"].split("@")[0].upper()
                data = message["data"]
                if "@depth@" in message["stream"]:
                    self.id_at[symbol, data["E"]] = data["u"]
                    continue
                bids, asks = data.get("bids", data.get("b")), data.get("asks", data.get("a"))
                self.by_stream[symbol, data.get("lastUpdateId", data.get("u"))] = (side(bids), side(asks))

    def _poll(self):
        path = {"spot": "/api/v3", "usdm": "/fapi/v1", "coinm": "/dapi/v1"}[self.market]
        while not self.stopped:
            for symbol in self.symbols:
                with urllib.request.urlopen(f"{self.rest}{path}/depth?symbol={symbol}&limit=20") as answer:
                    body = json.load(answer)
                self.by_rest[symbol, body["lastUpdateId"]] = (side(body["bids"]), side(body["asks"]))
            time.sleep(0.13)

    def seen(self, symbol, update_id, bids, asks):
        """The client's best levels at an id."""
        self.by_client[symbol, update_id] = (side(bids), side(asks))

    def seen_at(self, symbol, event_time, bids, asks):
        """The same by a client that keeps event times instead of ids."""
        self.by_client_time[symbol, event_time] = (side(bids), side(asks))

    def verdict(self):
        """Checks against both witnesses: (equal to stream, equal to REST, different)."""
        for (symbol, event_time), sides in self.by_client_time.items():
            if (symbol, event_time) in self.id_at:
                self.by_client[symbol, self.id_at[symbol, event_time]] = sides
        counts = []
        different = []
        for witness in (self.by_stream, self.by_rest):
            both = self.by_client.keys() & witness.keys()
            wrong = [key for key in both if self.by_client[key] != witness[key]]
            counts.append(len(both) - len(wrong))
            different += wrong
        for key in different[:3]:
            print("different at", key, self.by_client[key], self.by_stream.get(key), file=sys.stderr)
        return counts[0], counts[1], len(different)


def report(client, version, redirected, messages, synchronised, checker, stream_checks=15, rest_checks=1):
    """Prints the result of one client as a line of JSON and ends the process with its verdict."""
    time.sleep(0.3)
    checker.stopped = True
    stream, rest, different = checker.verdict()
    is_passed = different == 0 and stream >= stream_checks and rest >= rest_checks
    print(json.dumps({
        "client": client, "version": version, "market": checker.market, "redirected": redirected,
        "messages": messages, "seconds": synchronised, "stream": stream, "rest": rest,
        "different": different, "passed": is_passed}), flush=True)
    os._exit(0 if is_passed else 1)
