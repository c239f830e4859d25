"""What the exchange says of its own books, gathered beside a client that is being tried.

Two witnesses of the exchange: the partial-depth stream, which shows the best 20 levels of the true book at the
id of every update, and REST snapshots of 50 levels. Where `lob run --serve` stands between the client and the
exchange, what that server itself shows is a third. A client hands in its best levels with the update id they are
of; whatever a witness said of the same id must be equal, level by level, as deep as both go.

The exchange may misbehave towards the witness too: what cannot be read is passed over, and a connection that is
lost is made anew. What it says of an id is true all the same.
"""

import asyncio
import json
import os
import pickle
import re
import subprocess
import sys
import threading
import time
import urllib.request

import websockets

LEVELS = 50
SYMBOLS = {
    "spot": ["BTCUSDT", "ETHUSDT", "BNBUSDT", "SOLUSDT", "XRPUSDT", "DOGEUSDT", "ADAUSDT", "AVAXUSDT", "LINKUSDT",
             "TRXUSDT"],
    "usdm": ["BTCUSDT", "ETHUSDT", "BNBUSDT", "SOLUSDT", "XRPUSDT", "DOGEUSDT", "ADAUSDT", "LINKUSDT"],
    "coinm": ["BTCUSD_PERP", "ETHUSD_PERP", "BNBUSD_PERP", "SIM4USD_PERP", "SIM5USD_PERP", "SIM6USD_PERP"],
}
# Comparisons with a stream that a client needs to count as tried.
NEEDED = int(os.environ.get("LOB_COMPARISONS", "15"))


def side(levels):
    """The best levels of one side as pairs of floats."""
    return [(float(price), float(quantity)) for price, quantity, *_ in levels[:LEVELS]]


def differs(mine, theirs):
    """Whether a client's book and a witness's differ as deep as both go."""
    for one, other in zip(mine, theirs):
        depth = min(len(one), len(other))
        if one[:depth] != side(other[:depth]) or depth < min(len(other), 20):
            return True
    return False


class Witness:
    """Books by symbol and id out of one host: its partial-depth stream, and its REST answers. Runs in a process of
    its own (`book_checker.py` as a program), so that it does not fall behind while the client is busy."""

    def __init__(self, market, rest, streams, symbols):
        self.market, self.rest, self.streams, self.symbols = market, rest, streams, symbols
        # Of ids by event time only spot has need, for clients that only keep that.
        self.by_stream, self.by_rest, self.id_at = {}, {}, {}
        self.stopped = False

    def watch(self, asks):
        """Gathers until standard input ends, and writes what it has."""
        threads = [threading.Thread(target=lambda: asyncio.run(self._listen()), daemon=True)]
        threads += [threading.Thread(target=self._poll, daemon=True)] if asks else []
        for thread in threads:
            thread.start()
        sys.stdin.read()
        # What is still on its way belongs to it.
        time.sleep(0.5)
        self.stopped = True
        pickle.dump((self.by_stream.copy(), self.by_rest.copy(), self.id_at.copy()), sys.stdout.buffer)
        sys.stdout.flush()
        os._exit(0)

    async def _listen(self):
        # At the pace of the order flow, so that every id of every slower stream is among them.
        pace = "100ms" if self.market == "spot" else "0ms"
        names = "/".join(
            f"{symbol.lower()}@{kind}@{pace}" for symbol in self.symbols
            for kind in (("depth20", "depth") if self.market == "spot" else ("depth20",)))
        prefix = "/public" if self.market == "usdm" else ""
        while not self.stopped:
            try:
                address = f"{self.streams}{prefix}/stream?streams={names}"
                async with websockets.connect(address, max_queue=None) as socket:
                    while not self.stopped:
                        self._hear(await socket.recv())
            except (OSError, websockets.WebSocketException, TimeoutError):
                await asyncio.sleep(0.05)

    def _hear(self, text):
        try:
            message = json.loads(text)
            symbol = message["stream"].split("@")[0].upper()
            data = message["data"]
            if data.get("s", symbol) != symbol:
                return
            if "@depth@" in message["stream"]:
                self.id_at[symbol, data["E"]] = data["u"]
                return
            bids, asks = data.get("bids", data.get("b")), data.get("asks", data.get("a"))
            self.by_stream[symbol, data.get("lastUpdateId", data.get("u"))] = (bids, asks)
        except (ValueError, KeyError, TypeError, AttributeError):
            pass

    def _poll(self):
        path = {"spot": "/api/v3", "usdm": "/fapi/v1", "coinm": "/dapi/v1"}[self.market]
        while not self.stopped:
            for symbol in self.symbols:
                try:
                    url = f"{self.rest}{path}/depth?symbol={symbol}&limit={LEVELS}"
                    with urllib.request.urlopen(url, timeout=5) as answer:
                        body = json.load(answer)
                    self.by_rest[symbol, body["lastUpdateId"]] = (body["bids"], body["asks"])
                except (OSError, ValueError, KeyError, TypeError):
                    pass
                # The server shares the weight of this address.
                time.sleep(0.2)


class BookChecker:
    """Listens to an exchange, and to the server in front of it, in processes of their own."""

    def __init__(self, market, rest, streams, symbols):
        self.market, self.by_client, self.by_client_time = market, {}, {}
        # Where a server stands between the two, the exchange is asked itself.
        exchange = os.environ.get("LOB_CHECKER_REST", rest), os.environ.get("LOB_CHECKER_STREAMS", streams)
        self.is_served = exchange[0] != rest
        self.witnesses = [self._start(market, *exchange, "asks", symbols)]
        if self.is_served:
            self.witnesses.append(self._start(market, rest, streams, "", symbols))
        self.rest = rest
        self.bridges_before = self._bridges()

    @staticmethod
    def _start(market, rest, streams, asks, symbols):
        return subprocess.Popen(
            [sys.executable, __file__, market, rest, streams, asks, *symbols], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE)

    def _bridges(self):
        """Bridging updates that the server has made."""
        if not self.is_served:
            return 0
        with urllib.request.urlopen(self.rest + "/metrics", timeout=10) as answer:
            return int(float(re.search(r"^lob_server_bridges_total (\S+)", answer.read().decode(), re.M)[1]))

    def seen(self, symbol, update_id, bids, asks):
        """The client's best levels at an id."""
        self.by_client[symbol, update_id] = (side(bids), side(asks))

    def seen_at(self, symbol, event_time, bids, asks):
        """The same by a client that keeps event times instead of ids."""
        self.by_client_time[symbol, event_time] = (side(bids), side(asks))

    def verdict(self):
        """Checks against every witness: (equal to stream, equal to REST, equal to the server, different)."""
        for process in self.witnesses:
            process.stdin.close()
        (by_stream, by_rest, id_at), *servers = [pickle.load(process.stdout) for process in self.witnesses]
        for key, sides in self.by_client_time.items():
            if key in id_at:
                self.by_client[key[0], id_at[key]] = sides
        witnesses = [by_stream, by_rest, servers[0][0] if servers else {}]
        counts, different = [], []
        for witness in witnesses:
            both = self.by_client.keys() & witness.keys()
            wrong = [key for key in both if differs(self.by_client[key], witness[key])]
            counts.append(len(both) - len(wrong))
            different += [(key, witness[key]) for key in wrong]
        for key, theirs in different[:3]:
            pairs = [pair for one, other in zip(self.by_client[key], theirs) for pair in zip(one, side(other))]
            print("different at", key, [pair for pair in pairs if pair[0] != pair[1]][:3], file=sys.stderr)
        return *counts, len(different)


def report(client, version, redirected, messages, synchronised, checker, resyncs=None, needed=NEEDED):
    """Prints the result of one client as a line of JSON and ends the process with its verdict."""
    bridges = checker._bridges() - checker.bridges_before
    stream, rest, server, different = checker.verdict()
    is_passed = different == 0 and stream >= needed and rest >= 1 and not resyncs
    print(json.dumps({
        "client": client, "version": version, "market": checker.market, "redirected": redirected,
        "messages": messages, "seconds": synchronised, "stream": stream, "rest": rest, "server": server,
        "different": different, "bridges": bridges, "resyncs": resyncs, "passed": is_passed}), flush=True)
    os._exit(0 if is_passed else 1)


if __name__ == "__main__":
    _, market, rest, streams, asks, *names = sys.argv
    Witness(market, rest, streams, names).watch(asks == "asks")
