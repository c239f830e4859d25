"""Runs every client against a running exchange and prints what came of it as a table.

Usage: run.py LOB SECONDS [serve]. Starts `LOB exchange` for all three markets on free ports, runs the clients
one after the other, ends the exchange, and exits with 0 only if every client passed. With `serve` the exchange
misbehaves, `LOB run --serve` stands between it and the clients, and their books are compared with the
exchange's own.
"""

import json
import os
import re
import signal
import subprocess
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
LOB, SECONDS = sys.argv[1], sys.argv[2]
SERVES = sys.argv[3:] == ["serve"]
FAULTS = ["--faults", "lost,duplicate,reorder"] if SERVES else []


def start():
    """The exchange and its addresses by market."""
    exchange = subprocess.Popen(
        [LOB, "exchange", "--listen", "127.0.0.1:0", "--market", "spot", "--market", "usdm", "--market", "coinm",
         "--json", *FAULTS], stdout=subprocess.PIPE, text=True)
    lines = [json.loads(exchange.stdout.readline()) for _ in range(3)]
    return exchange, {line["market"]: (line["rest"], line["streams"]) for line in lines}


def serve(market, rest, streams):
    """A server over a market of the exchange, and its addresses once all books are live."""
    server = subprocess.Popen(
        [LOB, "run", "--all", "--market", market, "--rest-url", rest, "--ws-url", streams, "--serve",
         "127.0.0.1:0", "--plain"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    at = None
    for line in server.stderr:
        if found := re.search(r"http://127\.0\.0\.1:(\d+)", line) if " serving " in line else None:
            at = found[1]
        if "all books are live" in line:
            break
    # What it logs later is read by nobody, and must not stop it.
    threading.Thread(target=server.stderr.read, daemon=True).start()
    return server, (f"http://127.0.0.1:{at}", f"ws://127.0.0.1:{at}")


def run_served(at):
    """The clients, each over a server of its market."""
    servers = {market: serve(market, *at[market]) for market in at}
    results = []
    try:
        for script, market, arguments in [
                ("python_binance.py", "spot", ["async"]), ("python_binance.py", "spot", ["threaded"]),
                ("ccxt_pro.py", "spot", ["spot"]), ("ccxt_pro.py", "usdm", ["usdm"]),
                ("ccxt_pro.py", "coinm", ["coinm"])]:
            os.environ["LOB_CHECKER_REST"], os.environ["LOB_CHECKER_STREAMS"] = at[market]
            results.append(run(script, *arguments, *servers[market][1], SECONDS))
    finally:
        for server, _ in servers.values():
            server.send_signal(signal.SIGINT)
            server.wait(20)
    return results


def run(script, *arguments):
    """The JSON line a client's script ends with, or a row that says how it failed."""
    command = [sys.executable, os.path.join(HERE, script), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=float(SECONDS) * 3 + 60)
        print(done.stderr, file=sys.stderr, end="") if done.returncode else None
        return json.loads(done.stdout.strip().splitlines()[-1])
    except (subprocess.TimeoutExpired, IndexError, ValueError) as error:
        return {"client": script, "version": "", "market": "", "redirected": type(error).__name__, "messages": 0,
                "seconds": None, "stream": 0, "rest": 0, "different": 0, "passed": False}


def main():
    exchange, at = start()
    try:
        spot, usdm, coinm = at["spot"], at["usdm"], at["coinm"]
        results = run_served(at) if SERVES else [
            run("python_binance.py", "async", *spot, SECONDS),
            run("python_binance.py", "threaded", *spot, SECONDS),
            run("ccxt_pro.py", "spot", *spot, SECONDS),
            run("ccxt_pro.py", "usdm", *usdm, SECONDS),
            run("ccxt_pro.py", "coinm", *coinm, SECONDS),
            # It waits five seconds of its own before it connects, and between two snapshots.
            run("unicorn_depth_cache.py", "spot", *spot, spot[0], str(float(SECONDS) + 20)),
            run("unicorn_depth_cache.py", "usdm", *usdm, spot[0], str(float(SECONDS) + 20)),
        ]
    finally:
        exchange.send_signal(signal.SIGINT)
        exchange.wait(10)
    rows = [("client", "version", "redirected", "messages", "synchronised", "= stream", "= REST", "different", "")]
    for result in results:
        seconds = "never" if result["seconds"] is None else f"{result['seconds']:.2f} s"
        rows.append((
            result["client"], result["version"], result["redirected"], str(result["messages"]), seconds,
            str(result["stream"]), str(result["rest"]), str(result["different"]),
            "passed" if result["passed"] else "FAILED"))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths)).rstrip())
    passed = sum(result["passed"] for result in results)
    print(f"{passed} passed, {len(results) - passed} failed")
    sys.exit(0 if passed == len(results) else 1)


main()
