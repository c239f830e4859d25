"""Runs every client against a running exchange and prints what came of it as a table.

Usage: run.py LOB VENVS SECONDS [serve] [NAME …]. Starts `LOB exchange` for all three markets on free ports, runs the
clients one after the other, each with the Python of its folder in VENVS, ends the exchange, and exits with 0 only
if every client passed. With `serve` the exchange misbehaves, `LOB run --serve` stands between it and the clients,
and their books are compared with the exchange's own and with the server's. Names choose among the scripts.
"""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
LOB, VENVS, SECONDS, *REST = sys.argv[1:]
SERVES = REST[:1] == ["serve"]
CHOSEN = REST[1:] if SERVES else REST
# All that can happen to a message and a connection. What the server does not let through, no client sees.
FAULTS = ("lost=0.002,duplicate=0.002,reorder=0.002,truncate=0.0005,corrupt=0.0005,foreign=0.0005,"
          "cut=0.01,stall=0.005,stale=0.1,slow=0.02,fail=0.02")
MARKETS = ["spot", "usdm", "coinm"]
# Script, folder of its packages, market, further arguments, seconds on top.
CLIENTS = [
    ("python_binance.py", "books", "spot", ["async"], 0),
    ("python_binance.py", "books", "spot", ["threaded"], 0),
    ("ccxt_pro.py", "books", "spot", ["spot"], 0),
    ("ccxt_pro.py", "books", "usdm", ["usdm"], 0),
    ("ccxt_pro.py", "books", "coinm", ["coinm"], 0),
    # It waits five seconds of its own before it connects, and between two snapshots.
    ("unicorn_depth_cache.py", "books", "spot", ["spot"], 90),
    ("unicorn_depth_cache.py", "books", "usdm", ["usdm"], 90),
    ("binance_connector.py", "official", "spot", ["spot"], 0),
    ("binance_connector.py", "futures", "usdm", ["usdm"], 0),
    ("binance_sdk.py", "official", "spot", ["spot"], 5),
    ("binance_sdk.py", "official", "usdm", ["usdm"], 5),
    ("cryptofeed_books.py", "books", "spot", ["spot"], 0),
    ("cryptofeed_books.py", "books", "usdm", ["usdm"], 0),
    ("nautilus_books.py", "nautilus", "spot", ["spot"], 25),
    ("nautilus_books.py", "nautilus", "usdm", ["usdm"], 25),
]
NEEDS_TLS = {"cryptofeed_books.py"}


class Host:
    """A program that serves markets, and its addresses by market."""

    def __init__(self, process, at):
        self.process, self.at = process, at

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(20)


def make_authority(folder):
    """An authority of our own and a certificate of it for this host: (authority, certificate, key)."""
    def path(name):
        return os.path.join(folder, name)

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test authority",
            "-keyout", path("authority.key"), "-out", path("authority.pem"))
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1", "-keyout", path("host.key"),
            "-out", path("host.csr"))
    with open(path("names"), "w") as names:
        names.write("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
    openssl("x509", "-req", "-in", path("host.csr"), "-CA", path("authority.pem"), "-CAkey",
            path("authority.key"), "-CAcreateserial", "-days", "2", "-extfile", path("names"), "-out",
            path("host.pem"))
    return path("authority.pem"), path("host.pem"), path("host.key")


def start_exchange(tls=None):
    """The exchange of all markets."""
    options = ["--faults", FAULTS] if SERVES else []
    options += ["--tls-cert", tls[1], "--tls-key", tls[2]] if tls else []
    process = subprocess.Popen(
        [LOB, "exchange", "--listen", "127.0.0.1:0", *(part for market in MARKETS for part in ("--market", market)),
         "--symbols", "12", "--json", *options], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    lines = [json.loads(process.stdout.readline()) for _ in MARKETS]
    return Host(process, {line["market"]: (line["rest"], line["streams"]) for line in lines})


def start_server(market, rest, streams, tls=None):
    """A server over a market of the exchange, once all its books are live."""
    options = ["--serve-cert", tls[1], "--serve-key", tls[2]] if tls else []
    process = subprocess.Popen(
        [LOB, "run", "--all", "--market", market, "--rest-url", rest, "--ws-url", streams, "--serve",
         "127.0.0.1:0", "--plain", *options], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    port = None
    for line in process.stderr:
        if found := re.search(r"https?://127\.0\.0\.1:(\d+)", line) if " serving " in line else None:
            port = found[1]
        if "all books are live" in line:
            break
    # What it logs later is read by nobody, and must not stop it.
    threading.Thread(target=process.stderr.read, daemon=True).start()
    secure = "s" if tls else ""
    return Host(process, {market: (f"http{secure}://127.0.0.1:{port}", f"ws{secure}://127.0.0.1:{port}")})


def run(script, folder, arguments, seconds, at, environment):
    """The JSON line a client's script ends with, or a row that says how it failed."""
    python = os.path.join(VENVS, folder, "bin", "python")
    command = [python, os.path.join(HERE, script), *arguments, *at, str(seconds)]
    failed = {"client": script, "version": "", "market": "", "redirected": "", "messages": 0, "seconds": None,
              "stream": 0, "rest": 0, "server": 0, "different": 0, "bridges": 0, "resyncs": None, "passed": False}
    if not os.path.exists(python):
        return failed | {"redirected": "could not be installed"}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=seconds * 3 + 60, env=os.environ | environment)
        print(done.stderr[-4000:], file=sys.stderr, end="") if done.returncode else None
        return json.loads(done.stdout.strip().splitlines()[-1])
    except subprocess.TimeoutExpired as error:
        print((error.stderr or b"")[-4000:].decode(errors="replace"), file=sys.stderr, end="")
        return failed | {"redirected": f"not done after {error.timeout:.0f} s"}
    except (IndexError, ValueError) as error:
        return failed | {"redirected": type(error).__name__}


def run_all(folder):
    """The chosen clients, one after the other."""
    tls = make_authority(folder)
    exchange = start_exchange()
    secure = None if SERVES else start_exchange(tls)
    servers = {}
    results = []
    try:
        for script, packages, market, arguments, more in CLIENTS:
            if CHOSEN and not any(name in script for name in CHOSEN):
                continue
            is_secure = script in NEEDS_TLS
            environment = {"SSL_CERT_FILE": tls[0], "REQUESTS_CA_BUNDLE": tls[0],
                           "LOB_SPOT_REST": exchange.at["spot"][0]}
            at = (secure if is_secure and secure else exchange).at[market]
            if SERVES:
                key = market, is_secure
                if key not in servers:
                    servers[key] = start_server(market, *exchange.at[market], tls if is_secure else None)
                at = servers[key].at[market]
                environment["LOB_CHECKER_REST"], environment["LOB_CHECKER_STREAMS"] = exchange.at[market]
            result = run(script, packages, arguments, float(SECONDS) + more, at, environment)
            if SERVES and (status := servers[key].process.poll()) is not None:
                # It is made anew for the next client.
                servers.pop(key)
                result |= {"redirected": f"the server ended with status {status}", "passed": False}
            print(json.dumps(result), file=sys.stderr)
            results.append(result)
    finally:
        for host in [*servers.values(), exchange, *([secure] if secure else [])]:
            host.stop()
    return results


def main():
    with tempfile.TemporaryDirectory() as folder:
        results = run_all(folder)
    rows = [("client", "version", "market", "messages", "synchronised", "= stream", "= REST", "= server",
             "different", "bridges", "resyncs", "")]
    for result in results:
        seconds = "never" if result["seconds"] is None else f"{result['seconds']:.2f} s"
        resyncs = "–" if result["resyncs"] is None else str(result["resyncs"])
        rows.append((
            result["client"], result["version"], result["market"], str(result["messages"]), seconds,
            str(result["stream"]), str(result["rest"]), str(result["server"]), str(result["different"]),
            str(result["bridges"]), resyncs, "passed" if result["passed"] else f"FAILED {result['redirected']}"))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths)).rstrip())
    passed = sum(result["passed"] for result in results)
    print(f"{passed} passed, {len(results) - passed} failed")
    sys.exit(0 if passed == len(results) else 1)


main()
