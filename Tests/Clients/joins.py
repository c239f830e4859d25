"""Thousands of clients that join, word for word as the venue documents it, while faults strike upstream.

Usage: joins.py LOB COUNT [MARKET [AT_ONCE]]. An exchange that misbehaves, `lob run --serve` over it, and COUNT joins, of
which AT_ONCE are under way at any time: open the stream and buffer, ask for a snapshot of random depth, drop what is older, and
demand that the snapshot is not older than the first update, that the first one left holds its id, and that the
next ones follow. None may need a second snapshot. A refusal because the book is not live is not a snapshot: the client asks
again, as it would of the venue, and goes on with what it has buffered.
"""

import asyncio
import collections
import json
import random
import re
import subprocess
import sys
import threading
import time

import aiohttp

_, LOB, COUNT, *CHOSEN = sys.argv
MARKET = CHOSEN[0] if CHOSEN else "spot"
AT_ONCE = int(CHOSEN[1]) if len(CHOSEN) > 1 else 150
FAULTS = ("lost=0.002,duplicate=0.002,reorder=0.002,truncate=0.0005,corrupt=0.0005,foreign=0.0005,"
          "cut=0.01,stall=0.005,stale=0.1,slow=0.02,fail=0.02")
PATH = {"spot": "/api/v3", "usdm": "/fapi/v1", "coinm": "/dapi/v1"}[MARKET]
PREFIX = "/public" if MARKET == "usdm" else ""
FOLLOWED = 3
counts = collections.Counter()


def start():
    """The exchange, the server and its port and symbols."""
    exchange = subprocess.Popen(
        [LOB, "exchange", "--listen", "127.0.0.1:0", "--market", MARKET, "--symbols", "12", "--json", "--faults", FAULTS],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    host = json.loads(exchange.stdout.readline())
    server = subprocess.Popen(
        [LOB, "run", "--all", "--market", MARKET, "--rest-url", host["rest"], "--ws-url", host["streams"], "--serve",
         "127.0.0.1:0", "--plain"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    port = None
    for line in server.stderr:
        if " serving " in line:
            port = int(re.search(r"http://127\.0\.0\.1:(\d+)", line)[1])
        if "all books are live" in line:
            break
    threading.Thread(target=server.stderr.read, daemon=True).start()
    return [server, exchange], port, host["symbols"]


class Join:
    """What a client has buffered, and what it holds."""

    def __init__(self, symbol):
        self.symbol, self.buffer, self.id, self.followed = symbol, [], None, 0
        self.first = None

    def verdict(self, update):
        """What is wrong with an update in its place; None if nothing is."""
        is_linked = MARKET != "spot"
        if update["u"] < self.id or (update["u"] == self.id and not (is_linked and self.followed == 0)):
            return None
        if self.followed == 0:
            leads_on = update["U"] <= self.id <= update["u"] if is_linked else update["U"] <= self.id + 1 <= update["u"]
        else:
            leads_on = update["pu"] == self.id if is_linked else update["U"] == self.id + 1
        if not leads_on:
            return "first update does not lead on" if self.followed == 0 else "hole"
        self.id = update["u"]
        self.followed += 1
        return None


async def join(session, symbol):
    """One client; what went wrong, or None."""
    client = Join(symbol)
    async with session.ws_connect(f"{PREFIX}/ws/{symbol.lower()}@depth@100ms", max_msg_size=0) as socket:
        async def listen():
            while True:
                message = await socket.receive()
                if message.type != aiohttp.WSMsgType.TEXT:
                    counts[f"closed {message.data}"] += 1
                    raise ConnectionError("closed")
                update = json.loads(message.data)
                if client.first is None:
                    client.first = update["U"]
                if client.id is None:
                    client.buffer.append(update)
                    continue
                if fault := client.verdict(update):
                    return f"{fault}: {symbol} U {update['U']} u {update['u']} pu {update.get('pu')} after {client.id}"
                if client.followed >= FOLLOWED:
                    return None

        listener = asyncio.create_task(listen())
        try:
            while client.first is None:
                await asyncio.sleep(0.002)
                if listener.done():
                    return await listener
            while True:
                limit = random.choice([5, 10, 20, 50, 100, 500, 1000])
                async with session.get(f"{PATH}/depth?symbol={symbol}&limit={limit}") as answer:
                    body = await answer.json(content_type=None)
                if "lastUpdateId" in body:
                    break
                counts[f"refused {answer.status}"] += 1
                await asyncio.sleep(0.1)
            if body["lastUpdateId"] < client.first:
                return f"snapshot too old: {symbol} {body['lastUpdateId']} first {client.first}"
            client.id = body["lastUpdateId"]
            for update in client.buffer:
                if fault := client.verdict(update):
                    return f"{fault}: {symbol} U {update['U']} u {update['u']} pu {update.get('pu')} after {client.id}"
            return await asyncio.wait_for(listener, 60)
        finally:
            listener.cancel()


async def run(port, symbols):
    left = iter(range(int(COUNT)))
    wrong = []
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}", connector=connector) as session:
        async def work():
            for _ in left:
                is_over = False
                while not is_over:
                    try:
                        fault = await join(session, random.choice(symbols))
                        is_over = True
                        counts["wrong" if fault else "joined"] += 1
                        if fault:
                            wrong.append(fault)
                    except (ConnectionError, aiohttp.ClientError, asyncio.TimeoutError) as error:
                        # Of a connection that is lost no join comes; another one is made.
                        counts[f"error {type(error).__name__}"] += 1
                        if counts[f"error {type(error).__name__}"] > 10 * int(COUNT):
                            return

        await asyncio.gather(*(work() for _ in range(AT_ONCE)))
        async with session.get("/metrics") as answer:
            text = await answer.text()
    bridges = re.search(r"^lob_server_bridges_total (\S+)", text, re.M)[1]
    return wrong, bridges


def main():
    processes, port, symbols = start()
    started = time.time()
    try:
        wrong, bridges = asyncio.run(run(port, symbols))
    finally:
        for process in processes:
            process.terminate()
            process.wait(20)
    for fault in wrong[:10]:
        print(fault)
    print(f"{MARKET}: {COUNT} joins, {AT_ONCE} at once, in {time.time() - started:.0f} s: {dict(counts)}; "
          f"bridges {bridges}; second snapshots needed {len(wrong)}")
    sys.exit(0 if not wrong and counts["joined"] == int(COUNT) else 1)


main()
