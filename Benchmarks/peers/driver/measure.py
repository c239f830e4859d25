"""Interleaved rounds of processes, and what their numbers mean.

Every measurement of a contender stands between two of the engine, and only the ratio of the three is kept:
what the machine does to all of them for longer than that cancels out. Two processes of one program differ, by
where their memory happens to lie, more than the rounds of one process do. So all are started anew several
times; a start counts as the median of its rounds, and the number of a contender is the median of its starts,
with the 95 % interval from their order, which assumes nothing (of few starts, the least and the greatest)."""

import math
import subprocess
from statistics import median

# A measurement takes this long, so that a disturbance of a millisecond is a part of it and not all of it.
PASS_NS = 6e6


class Gone(Exception):
    """A contender that ended, with its last words."""


class Running:
    """A contender that waits for commands."""

    def __init__(self, contender, feed):
        self.contender = contender
        self.process = subprocess.Popen([*map(str, contender.command), str(feed)], text=True, bufsize=1,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.ratios, self.ns, self.latencies = [], [], []
        self.count, self.isShort = 1, True
        self.title = self._read().removeprefix("ready ")

    def _read(self):
        line = self.process.stdout.readline().rstrip("\n")
        if not line:
            self.process.kill()
            raise Gone((self.process.stderr.read().strip().splitlines() or ["no answer"])[-1][:200])
        return line

    def ask(self, command):
        try:
            self.process.stdin.write(command + "\n")
        except OSError:
            pass
        return self._read()

    def calibrate(self):
        ns = int(self.ask("pass 1"))
        ns = min(ns, int(self.ask("pass 1")))
        self.isShort = ns < 10 * PASS_NS
        self.count = max(1, math.ceil(PASS_NS / max(ns, 1)))
        return ns

    def measure(self):
        """CPU nanoseconds of one pass, behind one that fills the caches again where that would be noticed:
        who is measured twice running would else be the faster for it."""
        if self.isShort:
            self.ask("pass 1")
        return int(self.ask(f"pass {self.count}")) / self.count

    def latency(self):
        self.latencies.append([float(word) for word in self.ask("latency").split()])

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def sandwich(ours, other):
    """Takes one ratio of a contender, between two measurements of the engine."""
    before = ours.measure()
    ns = other.measure()
    after = ours.measure()
    ours.ns += [before, after]
    other.ns.append(ns)
    other.ratios.append(2 * ns / (before + after))


def interval(values):
    """The 95 % interval of the median, from the order of the values."""
    ordered, n = sorted(values), len(values)
    reach = 0.98 * math.sqrt(n)
    low, high = math.floor(n / 2 - reach), math.ceil(n / 2 + reach)
    return ordered[max(low, 0)], ordered[min(high, n - 1)]


def rounds(ours, others, count):
    """So many rounds; everybody's turn moves on by one from round to round."""
    for turn in range(count):
        for index in range(len(others)):
            sandwich(ours, others[(index + turn) % len(others)])


def checked(ours, others):
    """Those that end with the engine's book and read its best prices, and the faults of those that do not."""
    digest, touched = ours.ask("check").split()
    kept, faults = [], {}
    for running in others:
        try:
            found = running.ask("check").split()
        except Gone as gone:
            faults[running.contender.name] = f"failed: {gone}"
            continue
        if found == [digest, touched]:
            kept.append(running)
            continue
        what = "final book" if found[0] != digest else "best prices on the way"
        faults[running.contender.name] = f"wrong: its {what} differ{'s' if 'book' in what else ''}"
        running.close()
    return kept, faults


class Tally:
    """What a contender has shown over all its starts."""

    def __init__(self, name):
        self.name, self.title = name, ""
        self.ratios, self.ns, self.latencies = [], [], []

    def add(self, running):
        self.title = running.title
        if running.ratios:
            self.ratios.append(median(running.ratios))
        if running.ns:
            self.ns.append(median(running.ns))
        self.latencies += running.latencies

    def verdict(self, floorOfRun):
        low, high = interval(self.ratios)
        if low > 1 + floorOfRun:
            return "slower"
        return "faster" if high < 1 - floorOfRun else "indistinguishable"

    def floor(self):
        """Of the engine against itself: the end of the interval that lies further from 1."""
        low, high = interval(self.ratios)
        return max(abs(low - 1), abs(high - 1))

    def row(self, size, floorOfRun):
        """What the tables hold."""
        latencies = list(zip(*self.latencies))
        row = {"name": self.name, "title": self.title,
               "nsPerMessage": median(self.ns) / size["messages"],
               "nsPerLevel": median(self.ns) / size["levels"],
               "p50": median(latencies[0]) if latencies else None,
               "p99": median(latencies[1]) if latencies else None}
        if not self.ratios:
            return row | {"ratio": 1, "verdict": "reference"}
        low, high = interval(self.ratios)
        return row | {"ratio": median(self.ratios), "low": low, "high": high, "starts": len(self.ratios),
                      "verdict": self.verdict(floorOfRun)}
