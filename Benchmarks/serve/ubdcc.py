"""One book over REST, asked of `lob run --serve` and of UBDCC (a cluster of unicorn-binance-local-depth-cache), in turns.

Usage: ubdcc.py LOB PYTHON [SECONDS [ROUNDS]], where PYTHON has ubdcc (PyPI). Needs wrk. UBDCC knows Binance's own hosts only,
so a module that Python loads at its start gives its clients the exchange's addresses; nothing else of it is changed. Its cluster is
what `ubdcc start` makes on one host: a manager, one node with the books, one REST server that asks the node. It
answers one side of a book a request, as floats; lob both sides, in the venue's decimals. Client and servers share the
machine, and wrk is a closed loop: it hides stalls.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request

LOB, PYTHON, SECONDS, ROUNDS = [*sys.argv[1:], *["5", "3"][len(sys.argv) - 3:]]
SYMBOL = "BTCUSDT"
ADDRESSES = '''
import os
from unicorn_binance_rest_api import BinanceRestApiManager
from unicorn_binance_local_depth_cache import BinanceLocalDepthCacheManager

BinanceRestApiManager.API_URL = os.environ["LOB_REST"] + "/api"
plain = BinanceLocalDepthCacheManager.__init__

def init(self, *arguments, **options):
    options["ubra_manager"] = BinanceRestApiManager(tld="com", warn_on_update=False)
    plain(self, *arguments, **options)
    self.ubwa.websocket_base_uri = os.environ["LOB_STREAMS"] + "/"

BinanceLocalDepthCacheManager.__init__ = init
'''


def fetch(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.loads(answer.read())


def until(condition, seconds=120):
    end = time.time() + seconds
    while not condition():
        if time.time() > end:
            sys.exit("not ready in time")
        time.sleep(0.5)


def processes_of(root):
    """It and its descendants."""
    found, children = [], {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat") as file:
                children.setdefault(int(file.read().rsplit(")", 1)[1].split()[1]), []).append(int(name))
        except OSError:
            pass
    queue = [root]
    while queue:
        found.append(queue.pop())
        queue += children.get(found[-1], [])
    return found


def used(root):
    """Seconds of CPU and resident bytes of a process and its descendants."""
    cpu = memory = 0
    for process in processes_of(root):
        with open(f"/proc/{process}/stat") as file:
            cpu += sum(map(int, file.read().rsplit(")", 1)[1].split()[11:13]))
        with open(f"/proc/{process}/statm") as file:
            memory += int(file.read().split()[1])
    return cpu / os.sysconf("SC_CLK_TCK"), memory * os.sysconf("SC_PAGE_SIZE")


def measure(name, root, url):
    with urllib.request.urlopen(url) as answer:
        size = len(answer.read())
    (cpu, _), began = used(root), time.time()
    text = subprocess.run(["wrk", "-t1", "-c32", f"-d{SECONDS}s", "--latency", url], capture_output=True, text=True).stdout
    took, (after, memory) = time.time() - began, used(root)
    rate = float(re.search(r"Requests/sec:\s+(\S+)", text)[1])
    shares = " / ".join(re.search(rf"{share}%\s+(\S+)", text)[1] for share in (50, 99))
    wrong = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    print(f"| {name} | {size} | {rate:.0f} | {shares} | {(after - cpu) / took / rate * 1e6:.0f} µs | {memory / 1e6:.0f} MB | "
          f"{wrong[1] if wrong else 0} |", flush=True)


def main():
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            del os.environ[name]
    with tempfile.TemporaryDirectory() as folder:
        exchange = subprocess.Popen([LOB, "exchange", "--listen", "127.0.0.1:0", "--symbols", "2", "--json"],
                                    stdout=subprocess.PIPE, text=True)
        host = json.loads(exchange.stdout.readline())
        serve = subprocess.Popen(
            [LOB, "run", "--all", "--rest-url", host["rest"], "--ws-url", host["streams"], "--serve", "127.0.0.1:19820",
             "--serve-requests", "1000000", "--plain"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with open(os.path.join(folder, "sitecustomize.py"), "w") as file:
            file.write(ADDRESSES)
        cluster = subprocess.Popen(
            [os.path.join(os.path.dirname(PYTHON), "ubdcc"), "start", "--port", "19830", "--logdir", folder],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": folder, "LOB_REST": host["rest"], "LOB_STREAMS": host["streams"]})
        try:
            rest = None
            while not rest:
                rest = re.search(r"REST API: (\S+)/", cluster.stdout.readline())
            peer = rest[1] + "/{}?exchange=binance.com&market=" + SYMBOL
            fetch(peer.format("create_depthcache"))
            until(lambda: fetch(peer.format("get_bids") + "&limit_count=3").get("result") == "OK")
            own = f"http://127.0.0.1:19820/api/v3/depth?symbol={SYMBOL}&limit="
            until(lambda: fetch("http://127.0.0.1:19820/ready")["isReady"])
            print("| server | levels | bytes | requests/s | p50 / p99 | CPU a request | memory | not 200 |\n|---|---|---|---|---|---|---|---|")
            for _ in range(int(ROUNDS)):
                for limit in (100, 1000):
                    measure(f"lob run --serve, both sides | {limit}", serve.pid, own + str(limit))
                    measure(f"UBDCC, bids | {limit}", cluster.pid, peer.format("get_bids") + f"&limit_count={limit}")
        finally:
            for process in processes_of(cluster.pid)[::-1] + [serve.pid, exchange.pid]:
                os.kill(process, 15)
            for process in (cluster, serve, exchange):
                process.wait(20)


main()
