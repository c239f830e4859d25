"""`lob run` over `lob run --serve` over another, against the first: equal books at equal ids.

Usage: chain.py LOB SECONDS [MARKET [ARGUMENT …]], arguments for each server. An exchange that misbehaves,
three servers one upon the other, and `/v1/books/…` of each asked as often as it goes. Where two servers have
shown a symbol at the same update id, the levels that both prove must be equal, and the digests too if both
know the whole book.

A server that has lost a book rejoins it with a shallow snapshot and learns the rest later, without an update
id of its own. Its answers show that at once, its streams with the next update. So at the id at which a server
has learnt more, only what was known before is compared; how many of these ids differ beyond that is printed.
From the next id on everything is compared again: a level that the streams are never told of is found. No
server may claim to know a book further than the one it follows does at the same id, with the same exception.
"""

import http.client
import json
import subprocess
import sys
import threading
import time
from decimal import Decimal

_, LOB, SECONDS, *CHOSEN = sys.argv
MARKET, *ARGUMENTS = CHOSEN or ["spot"]
FAULTS = "lost=0.001,duplicate=0.001,reorder=0.001,corrupt=0.0003,cut=0.005,stall=0.005,stale=0.1"
SYMBOLS = 12
LEVELS = 100
SIDES = ("bids", "asks")
# Comparisons that are enough: of any books, and of whole ones; the futures' snapshots end before most do.
NEEDED = 600
NEEDED_WHOLE = 300 if MARKET == "spot" else 0
# Differences that are printed.
PRINTED = 10


def start(*arguments):
    """A program of lob that says where it is in its first line of JSON."""
    return subprocess.Popen([LOB, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def serve(rest, streams):
    """A server over a host, once all of its books are live: (process, port)."""
    process = start(
        "run", "--all", "--market", MARKET, "--rest-url", rest, "--ws-url", streams, "--serve", "127.0.0.1:0",
        "--plain", "--depth", "5000", *ARGUMENTS)
    port = None
    for line in process.stderr:
        if " serving " in line:
            port = int(line.split("http://127.0.0.1:")[1].split()[0].strip("/"))
        if "all books are live" in line:
            break
    for pipe in (process.stdout, process.stderr):
        threading.Thread(target=pipe.read, daemon=True).start()
    return process, port


def reaches(body, side, price):
    """Whether the server knows every level of a side down to a price."""
    worst = body[side]["provenTo"]
    if worst is None:
        return True
    if price is None:
        return False
    return Decimal(worst) <= Decimal(price) if side == "bids" else Decimal(price) <= Decimal(worst)


def note(body, former, books):
    """Keeps an answer, with how many levels of each side were known already by the answer before."""
    key = body["symbol"], body["lastUpdateId"]
    same = books.get(key)
    body["hasLearnt"] = bool(same and same["hasLearnt"])
    body["depth"] = {}
    for side in SIDES:
        levels = body[side]["levels"]
        depth = len(levels)
        if former and not reaches(former, side, body[side]["provenTo"]):
            body["hasLearnt"] = True
            depth = sum(reaches(former, side, price) for price, _ in levels)
        body["depth"][side] = min(depth, same["depth"][side]) if same else depth
    books[key] = body


def watch(port, symbols, until, books):
    """Asks for every symbol in turn, and notes what each is at which id."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    former = {}
    while time.time() < until:
        for symbol in symbols:
            connection.request("GET", f"/v1/books/{symbol}?limit={LEVELS}")
            body = json.loads(connection.getresponse().read())
            if body.get("isServed"):
                note(body, former.get(symbol), books)
                former[symbol] = body


def is_whole(body):
    """Whether the server knows every level of the venue's book."""
    return all(body[side]["complete"] and body[side]["provenTo"] is None for side in SIDES)


def agrees(one, other, depth):
    """Whether the best levels of both sides, as many as `depth` says, are equal."""
    return all(one[side]["levels"][:depth[side]] == other[side]["levels"][:depth[side]] for side in SIDES)


def listed(one, other):
    """How many levels of each side both list."""
    return {side: min(len(one[side]["levels"]), len(other[side]["levels"])) for side in SIDES}


def known(one, other):
    """How many of them both knew before they learnt more, if they did."""
    return {side: min(one["depth"][side], other["depth"][side]) for side in SIDES}


def claims_more(one, other):
    """Whether one claims to know its book further than the other."""
    return not all(reaches(other, side, one[side]["provenTo"]) for side in SIDES)


def overclaims(deeper, upper, lower):
    """How often a server claims to know more than the one it follows, and of how many ids."""
    both = [(upper[key], lower[key]) for key in upper.keys() & lower.keys()]
    full = [(one, two) for one, two in both if not (one["hasLearnt"] or two["hasLearnt"])]
    more = [(one, two) for one, two in full if claims_more(two, one)]
    print(f"{MARKET}, server {deeper + 1} over server {deeper}: {len(full)} times at the same id, {len(more)} "
          f"claimed to be known further")
    for one, two in more[:PRINTED]:
        ranges = [(body[side]["provenTo"], body[side]["complete"]) for body in (one, two) for side in SIDES]
        print("   ", one["symbol"], one["lastUpdateId"], *ranges)
    return len(full) >= NEEDED and not more


def compare(deeper, first, other):
    """Compares what a deeper server has shown with the first; whether it agrees, often enough."""
    both = [(first[key], other[key]) for key in first.keys() & other.keys()]
    fresh = [pair for pair in both if pair[0]["hasLearnt"] or pair[1]["hasLearnt"]]
    full = [pair for pair in both if not (pair[0]["hasLearnt"] or pair[1]["hasLearnt"])]
    whole = [pair for pair in full if is_whole(pair[0]) and is_whole(pair[1])]
    levels = sum(agrees(one, two, listed(one, two)) for one, two in full)
    digests = sum(one["digest"] == two["digest"] for one, two in whole)
    before = sum(agrees(one, two, known(one, two)) for one, two in fresh)
    beyond = sum(not agrees(one, two, listed(one, two)) for one, two in fresh)
    print(f"{MARKET}, server {deeper + 1} against server 1: {len(full)} times at the same id, best levels "
          f"equal {levels}; {len(whole)} of them known whole, digests equal {digests}. {len(fresh)} times more "
          f"one had just learnt more, what was known before equal {before}, anything beyond not {beyond}")
    wrong = [(one, two) for one, two in both if not agrees(one, two, known(one, two))]
    for one, two in wrong[:PRINTED]:
        pairs = [pair for side in SIDES for pair in zip(one[side]["levels"], two[side]["levels"])]
        differing = [pair for pair in pairs if pair[0] != pair[1]]
        print("   ", one["symbol"], one["lastUpdateId"], len(differing), "differ:", *differing[:2])
    return levels == len(full) >= NEEDED and digests == len(whole) >= NEEDED_WHOLE and before == len(fresh)


def main():
    exchange = start("exchange", "--listen", "127.0.0.1:0", "--market", MARKET, "--symbols", str(SYMBOLS),
                     "--faults", FAULTS, "--json")
    hosts = json.loads(exchange.stdout.readline())
    processes, ports = [exchange], []
    rest, streams = hosts["rest"], hosts["streams"]
    try:
        for _ in range(3):
            process, port = serve(rest, streams)
            processes.append(process)
            ports.append(port)
            rest, streams = f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}"
        until = time.time() + float(SECONDS)
        seen = [{} for _ in ports]
        threads = [
            threading.Thread(target=watch, args=(port, hosts["symbols"], until, books))
            for port, books in zip(ports, seen)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        for process in reversed(processes):
            process.terminate()
            process.wait(20)
    results = [compare(deeper, seen[0], seen[deeper]) for deeper in (1, 2)]
    results += [overclaims(deeper, seen[deeper - 1], seen[deeper]) for deeper in (1, 2)]
    sys.exit(0 if all(results) else 1)


main()
