"""`lob run` over `lob run --serve` over another, against the first: equal digests at equal ids.

Usage: chain.py LOB SECONDS [MARKET]. An exchange that misbehaves, three servers one upon the other, and `/v1/books/…`
of each asked as often as it goes. Where two servers have shown a symbol at the same update id and both know the whole book, as they do
with deep snapshots, their digests must be equal; otherwise the levels that both prove must be.
"""

import http.client
import json
import subprocess
import sys
import threading
import time

_, LOB, SECONDS, *CHOSEN = sys.argv
MARKET = CHOSEN[0] if CHOSEN else "spot"
FAULTS = "lost=0.001,duplicate=0.001,reorder=0.001,corrupt=0.0003,cut=0.005,stall=0.005,stale=0.1"
SYMBOLS = 12
LEVELS = 100
# Comparisons of whole books that are enough.
NEEDED = 500


def start(*arguments):
    """A program of lob that says where it is in its first line of JSON."""
    return subprocess.Popen([LOB, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def serve(rest, streams):
    """A server over a host, once all of its books are live: (process, port)."""
    process = start(
        "run", "--all", "--market", MARKET, "--rest-url", rest, "--ws-url", streams, "--serve", "127.0.0.1:0",
        "--plain", "--depth", "5000")
    port = None
    for line in process.stderr:
        if " serving " in line:
            port = int(line.split("http://127.0.0.1:")[1].split()[0].strip("/"))
        if "all books are live" in line:
            break
    for pipe in (process.stdout, process.stderr):
        threading.Thread(target=pipe.read, daemon=True).start()
    return process, port


def watch(port, symbols, until, seen):
    """Asks for every symbol in turn, and notes what each is at which id."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    while time.time() < until:
        for symbol in symbols:
            connection.request("GET", f"/v1/books/{symbol}?limit={LEVELS}")
            body = json.loads(connection.getresponse().read())
            if body.get("isServed"):
                seen[symbol, body["lastUpdateId"]] = body


def is_whole(body):
    """Whether the server knows every level of the venue's book."""
    return body["bids"]["complete"] and body["asks"]["complete"] and all(
        body[side]["provenTo"] is None for side in ("bids", "asks"))


def agrees(one, other):
    """Whether the levels that both prove are equal."""
    for side in ("bids", "asks"):
        depth = min(len(one[side]["levels"]), len(other[side]["levels"]))
        if one[side]["levels"][:depth] != other[side]["levels"][:depth]:
            return False
    return True


def main():
    exchange = start("exchange", "--listen", "127.0.0.1:0", "--market", MARKET, "--symbols", str(SYMBOLS), "--faults",
                     FAULTS, "--json")
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
    is_passed = True
    for deeper in (1, 2):
        both = [(seen[0][key], seen[deeper][key]) for key in seen[0].keys() & seen[deeper].keys()]
        whole = [pair for pair in both if is_whole(pair[0]) and is_whole(pair[1])]
        digests = sum(one["digest"] == other["digest"] for one, other in whole)
        levels = sum(agrees(one, other) for one, other in both)
        is_passed = is_passed and levels == len(both) and digests == len(whole) and len(both) >= 2 * NEEDED and len(whole) >= NEEDED
        print(f"{MARKET}, server {deeper + 1} against server 1: {len(both)} times at the same id, best levels equal "
              f"{levels}; {len(whole)} of them known whole, digests equal {digests}")
    sys.exit(0 if is_passed else 1)


main()
