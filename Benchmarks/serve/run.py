"""What serving costs: `lob run --serve` and a relay of aiohttp and websockets in turn, with the same work.

Usage: run.py LOB PYTHON [SECONDS [WHAT …]], where PYTHON has aiohttp, websockets and uvloop, and WHAT is some of `streams`,
`rest`, `counts`, `thread`, `memory`; the first two without one. Needs gcc, and wrk, strace, perf (`apt-get install wrk
strace linux-perf`), and `ulimit -n 20000`.

An exchange of 100 spot symbols feeds each of them; it has its own, since the first to fetch its snapshots uses up the minute's
request weight. Each round starts both servers anew, one after the other. `streams`: 1,000 clients
of 20 streams each and 5,000 clients of one, by load.c; `rest`: `wrk -t1 -c32` on depth of 100 and of 5,000 levels. Client and
server share the machine, so what is measured is the pair; the tool's own CPU stands beside it. wrk is a closed loop: it
hides stalls. Latency of streams is from the event time (ms, made by the exchange) to the client's read; lob's own histogram
says how much of that passes between its receiving an update and having sent it to all clients (bounds of doublings).
`lob` runs with `--idle park`, which sleeps as the relay does: its default spins for a while instead, for latency.

`counts`: system calls and instructions in user space for each message sent, under the loads of `streams`. `thread`: the
book thread with `--serve` and without, interleaved: CPU an update, and how long updates take from their last byte until
readers see the book. `memory`: resident bytes with 1,000 and 1,500 symbols, with and without `--serve`, 10 s after all books are live.
"""

import itertools
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
LOB, PYTHON, SECONDS, *WHAT = [*sys.argv[1:3], *(sys.argv[3:] or ["10"])]
WHAT = WHAT or ["streams", "rest"]
SYMBOLS = 100
LOADS = [(1_000, 20), (5_000, 1)]
ROUNDS = int(os.environ.get("ROUNDS", "2"))


def start(*arguments, **options):
    return subprocess.Popen(arguments, text=True, **options)


def drain(pipe):
    threading.Thread(target=pipe.read, daemon=True).start()


class Exchange:
    """An exchange of many symbols, quiet and busy ones."""

    def __init__(self, symbols=SYMBOLS):
        self.process = start(LOB, "exchange", "--listen", "127.0.0.1:0", "--symbols", str(symbols), "--json",
                             stdout=subprocess.PIPE)
        host = json.loads(self.process.stdout.readline())
        self.rest, self.streams, self.symbols = host["rest"], host["streams"], host["symbols"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(20)


class Lob:
    name = "lob run --serve"

    def __init__(self, exchange, *more):
        self.process = start(
            LOB, "run", "--all", "--rest-url", exchange.rest, "--ws-url", exchange.streams, "--serve", "127.0.0.1:0",
            "--plain", "--idle", "park", "--serve-clients", "6000", "--serve-requests", "1000000", *more,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        for line in self.process.stderr:
            if " serving " in line:
                self.port = self.streams = int(re.search(r"http://127\.0\.0\.1:(\d+)", line)[1])
            if "all books are live" in line:
                break
        drain(self.process.stderr)

    def stages(self):
        """Buckets of the time from received to sent: how many up to how many seconds."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics") as answer:
            text = answer.read().decode()
        found = re.findall(r'^lob_server_stage_seconds_bucket\{[^}]*stage="receivedToSent",le="([^"]+)"\} (\S+)', text, re.M)
        return {float(bound): float(count) for bound, count in found}


class Relay:
    name = "aiohttp + websockets relay"

    def __init__(self, exchange):
        self.port = 19800
        self.streams = self.port + 1
        self.process = start(
            PYTHON, os.path.join(HERE, "relay.py"), str(self.port), exchange.rest, exchange.streams,
            ",".join(exchange.symbols), stdout=subprocess.PIPE)
        self.process.stdout.readline()
        drain(self.process.stdout)

    def stages(self):
        return {}


def cpu_of(process, thread=None):
    """Seconds of CPU of a process, or of its thread of that name."""
    ticks = 0
    for task in os.listdir(f"/proc/{process.pid}/task"):
        with open(f"/proc/{process.pid}/task/{task}/stat") as file:
            name, rest = re.match(r"\d+ \((.*)\) (.*)", file.read()).groups()
        if thread is None or name == thread:
            ticks += sum(map(int, rest.split()[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def memory_of(process):
    """Resident bytes."""
    with open(f"/proc/{process.pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def percentile(before, after, share):
    """The bound below which this share of what was added lies, in ms."""
    added = {bound: after[bound] - before.get(bound, 0) for bound in after}
    total = max(added.values(), default=0)
    return min((bound for bound, count in added.items() if total and count >= share * total), default=float("nan")) * 1e3


def measure_streams(load, server, exchange):
    for clients, streams in LOADS:
        memory = memory_of(server.process)
        names = ",".join(f"{symbol.lower()}@depth@100ms" for symbol in exchange.symbols)
        tool = start(load, str(server.streams), str(clients), str(streams), SECONDS, "/stream?streams=", names,
                     stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        tool.stderr.readline()
        stages, cpu, own, began = server.stages(), cpu_of(server.process), cpu_of(server.process, "server"), time.time()
        memory = (memory_of(server.process) - memory) / clients
        time.sleep(max(1, float(SECONDS) - 1))
        took = time.time() - began
        cpu, own = (cpu_of(server.process) - cpu) / took, (cpu_of(server.process, "server") - own) / took
        after = server.stages()
        result = json.loads(tool.stdout.read())
        tool.wait()
        inner = "–" if not after else " / ".join(
            f"{percentile(stages, after, share):.1f}" for share in (0.5, 0.99, 1))
        print(f"| {server.name} | {clients} × {streams} | {result['framesPerSecond']} | {result['megabytesPerSecond']} | "
              f"{result['p50Ms']} / {result['p99Ms']} / {result['maxMs']} | {inner} | {100 * cpu:.0f} % ({100 * own:.0f} %) | "
              f"{1e6 * cpu / max(result['framesPerSecond'], 1):.2f} | {memory / 1024:.0f} kB | {result['refused']}, {result['closed']} | {100 * result['toolCpu']:.0f} % |", flush=True)
        time.sleep(2)


def measure_counts(load, server, exchange):
    """System calls and instructions a message; each load is measured twice, since strace changes what is measured."""
    names = ",".join(f"{symbol.lower()}@depth@100ms" for symbol in exchange.symbols)
    counts = os.path.join(os.path.dirname(load), "counts.txt")
    for clients, streams in LOADS:
        for tool in (["strace", "-c", "-f", "-o", counts, "-p"],
                     ["perf", "stat", "-x", ",", "-o", counts, "-e", "instructions:u", "-p"]):
            run = start(load, str(server.streams), str(clients), str(streams), SECONDS, "/stream?streams=", names,
                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            run.stderr.readline()
            # It ends with the load: a second is left out on both sides.
            counter = start(*tool, str(server.process.pid), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(float(SECONDS) - 1)
            counter.send_signal(2)
            counter.wait()
            result = json.loads(run.stdout.read())
            sent = result["framesPerSecond"] * (float(SECONDS) - 1)
            with open(counts) as file:
                text = file.read()
            if tool[0] == "strace":
                rows = [line.split() for line in text.splitlines() if re.match(r"\s*\d", line)]
                calls = {row[-1]: int(row[3]) for row in rows if row[-1] != "total"}
                most = ", ".join(f"{name} {count / sent:.3f}" for name, count in list(calls.items())[:6])
                print(f"| {server.name} | {clients} × {streams} | {sum(calls.values()) / sent:.3f} calls: {most} |", flush=True)
            else:
                count = re.search(r"^(\d+),", text, re.M)
                instructions = f"{int(count[1]) / sent:.0f}" if count else "this machine does not count"
                print(f"| {server.name} | {clients} × {streams} | {instructions} instructions |", flush=True)
            time.sleep(2)


def measure_memory():
    """Resident MB of a run with all books of an exchange, ten seconds after the last has come to life."""
    for symbols in (1_000, 1_500):
        for more in ([], ["--serve", "127.0.0.1:0"]):
            exchange = Exchange(symbols)
            run = start(LOB, "run", "--all", "--rest-url", exchange.rest, "--ws-url", exchange.streams, "--plain",
                        *more, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            # More than a minute: snapshots wait for their weight.
            next(line for line in run.stderr if "all books are live" in line)
            drain(run.stderr)
            time.sleep(10)
            print(f"| {symbols} | {' '.join(more[:1]) or '–'} | {memory_of(run) / 1e6:.0f} MB |", flush=True)
            for process in (run, exchange.process):
                process.terminate()
                process.wait(60)


def measure_rest(server):
    for limit in (100, 5_000):
        url = f"http://127.0.0.1:{server.port}/api/v3/depth?symbol=BTCUSDT&limit={limit}"
        with urllib.request.urlopen(url) as answer:
            size = len(answer.read())
        cpu, began = cpu_of(server.process), time.time()
        text = subprocess.run(
            ["wrk", "-t1", "-c32", f"-d{SECONDS}s", "--latency", url], capture_output=True, text=True).stdout
        cpu = (cpu_of(server.process) - cpu) / (time.time() - began)
        rate = re.search(r"Requests/sec:\s+(\S+)", text)[1]
        shares = " / ".join(re.search(rf"^ +{share}% +(\S+)", text, re.M)[1] for share in (50, 99))
        longest = re.search(r"Latency\s+\S+\s+\S+\s+(\S+)", text)[1]
        wrong = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
        print(f"| {server.name} | {limit} | {size} | {rate} | {shares} / {longest} | {100 * cpu:.0f} % | "
              f"{wrong[1] if wrong else 0} |", flush=True)


def measure_thread(load):
    """The book thread with nobody to serve, with a server, and with clients."""
    for _, what in itertools.product(
            range(ROUNDS), (("without --serve", False, 0), ("with --serve, no client", True, 0),
                            ("with --serve, 500 clients × 5", True, 500))):
        with Exchange() as exchange:
            measure_one_thread(load, exchange, *what)


def measure_one_thread(load, exchange, name, serves, clients):
    names = ",".join(f"{symbol.lower()}@depth@100ms" for symbol in exchange.symbols)
    run = start(
        LOB, "run", "--all", "--rest-url", exchange.rest, "--ws-url", exchange.streams, "--plain", "--idle", "park",
        "--seconds", str(float(SECONDS) + 10), "--json", "--log-format", "json",
        *(["--serve", "127.0.0.1:19810"] if serves else []), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    log = []
    reader = threading.Thread(target=lambda: log.extend(run.stderr), daemon=True)
    reader.start()
    time.sleep(5)
    if clients:
        start(load, "19810", str(clients), "5", str(float(SECONDS) + 1), "/stream?streams=", names,
              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(3)
    cpu = cpu_of(run, "book-0")
    time.sleep(float(SECONDS))
    cpu = cpu_of(run, "book-0") - cpu
    books = [json.loads(line) for line in run.stdout.read().splitlines()]
    run.wait()
    reader.join(5)
    rate = sum(book["events"]["applied"] for book in books) / (float(SECONDS) + 10)
    times = next(json.loads(line) for line in log if "received to published" in line)
    print(f"| {name} | {rate:.0f} | {cpu / float(SECONDS) / rate * 1e6:.1f} | {times['p50Us']} | {times['p99Us']} | "
          f"{times['worstUs']} | {times['count']} |", flush=True)


def main():
    with tempfile.TemporaryDirectory() as folder:
        load = os.path.join(folder, "load")
        subprocess.run(["gcc", "-O2", "-o", load, os.path.join(HERE, "load.c")], check=True)
        for _ in range(ROUNDS):
            for kind in (Lob, Relay) if {"streams", "rest", "counts"} & set(WHAT) else ():
                with Exchange() as exchange:
                    time.sleep(1)
                    server = kind(exchange)
                    try:
                        if "streams" in WHAT:
                            measure_streams(load, server, exchange)
                        if "rest" in WHAT:
                            measure_rest(server)
                        if "counts" in WHAT:
                            measure_counts(load, server, exchange)
                    finally:
                        server.process.terminate()
                        server.process.wait(20)
        if "thread" in WHAT:
            measure_thread(load)
        if "memory" in WHAT:
            measure_memory()


main()
