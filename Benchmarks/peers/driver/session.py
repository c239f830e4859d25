"""One set, measured: the engine against itself and a planted slow-down, and everybody against the engine."""

import os
import struct
import time
from dataclasses import replace
from statistics import median

import contenders
from contenders import OUT, say
from measure import Gone, Running, Tally, checked, rounds

# Books of Python take up to a thousand times as long, so they get the first messages of a set, and so does
# the engine that they are compared with.
SHORT = 1000
# Rounds of a start.
ROUNDS = 5


def shortened(name, size):
    """The first messages of a set as a set of its own."""
    data, file = size["file"].read_bytes(), OUT / "feeds" / f"{name}.short"
    at, count, levels = 8, -1, 0
    while count < min(SHORT, size["messages"]):
        (length,) = struct.unpack_from("<I", data, at)
        if count >= 0:
            levels += data[at + 4:at + 4 + length].count(b'["')
        at += 4 + length
        count += 1
    file.write_bytes(data[:at] + b"\xff" * 4 + bytes(256))
    return {"messages": count, "levels": levels, "file": file}


class Set:
    """What is known of a set so far."""

    def __init__(self, name, size, bench, entries, wanted):
        self.name, self.size, self.wanted, self.entries = name, size, wanted, entries
        self.reference = contenders.engine(bench)
        self.planted = contenders.engine(bench, wanted.plant) if wanted.plant else None
        self.faults = {entry.name: f"not here: {entry.missing}" for entry in entries if entry.missing}
        self.ours, self.again, self.slowed = Tally("Local Order Book"), Tally("itself"), Tally("planted")
        self.tallies = {entry.name: Tally(entry.name) for entry in entries}
        self.short = shortened(name, size)

    def start(self, entries, file):
        """Those that start; the others are remembered with their last words."""
        running = []
        for entry in entries:
            try:
                running.append(Running(entry, file))
            except Gone as gone:
                self.faults[entry.name] = f"failed: {gone}"
        return running

    def chooseFastest(self):
        """Of the programs of one contender, keeps the one that is fastest on this set."""
        for entry in self.entries:
            if len(entry.alternatives) < 2:
                continue
            present = []
            for command in entry.alternatives:
                try:
                    present.append(Running(replace(entry, command=command), self.size["file"]))
                except Gone as gone:
                    say(f"{command[0]}: {gone}")
            times = {index: [] for index in range(len(present))}
            for running in present:
                running.calibrate()
            for _ in range(2 * ROUNDS):
                for index, running in enumerate(present):
                    times[index].append(running.measure())
            if present:
                entry.command = present[min(times, key=lambda index: median(times[index]))].contender.command
            for running in present:
                running.close()

    def compareWithItself(self):
        """One start of the engine, twice, and of the planted one."""
        ours, *others = [Running(entry, self.size["file"])
                         for entry in [self.reference, self.reference, self.planted] if entry]
        for running in [ours, *others]:
            running.calibrate()
        rounds(ours, others, ROUNDS)
        for tally, running in zip([self.ours, self.again, self.slowed], [ours, *others]):
            if tally is not self.ours:
                tally.add(running)
            running.close()

    def compare(self, isInterpreted, size, count):
        """One start of the engine and of all others of a kind."""
        present = [entry for entry in self.entries
                   if entry.isInterpreted == isInterpreted and entry.name not in self.faults]
        if not present:
            return
        ours = Running(self.reference, size["file"])
        kept, faults = checked(ours, self.start(present, size["file"]))
        self.faults |= faults
        for running in [ours, *kept]:
            running.calibrate()
        rounds(ours, kept, count)
        if not isInterpreted:
            for running in [ours, *kept]:
                running.latency()
            self.ours.add(ours)
        for running in kept:
            self.tallies[running.contender.name].add(running)
        for running in [ours, *kept]:
            running.close()

    def isFound(self):
        return self.planted is None or self.slowed.verdict(self.again.floor()) == "slower"

    def result(self, isFound):
        floor, rows = self.again.floor(), []
        for entry in self.entries:
            if entry.name in self.faults:
                rows.append({"name": entry.name, "verdict": self.faults[entry.name]})
            elif self.tallies[entry.name].ratios:
                size = self.short if entry.isInterpreted else self.size
                rows.append(self.tallies[entry.name].row(size, floor) | {"messages": size["messages"]})
        return {"set": self.name, **{key: self.size[key] for key in ("messages", "levels", "bytes")},
                "engine": self.ours.row(self.size, floor), "floor": floor,
                "itself": self.again.row(self.size, floor),
                "planted": self.slowed.row(self.size, floor) if self.planted else None,
                "plant": self.wanted.plant, "found": isFound, "rows": rows,
                "when": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()), "load": os.getloadavg()[0],
                "quick": self.wanted.quick}


def measured(name, size, bench, entries, wanted):
    """Everything about one set."""
    found = Set(name, size, bench, entries, wanted)
    found.chooseFastest()
    starts, startsMax, peerStarts = (4, 8, 1) if wanted.quick else (12, 36, 4)
    for index in range(startsMax):
        if index >= starts and index % 4 == 0 and found.isFound():
            break
        found.compareWithItself()
        if index < peerStarts:
            found.compare(False, size, ROUNDS)
            found.compare(True, found.short, 1 if wanted.quick else 2)
    return found.result(found.isFound())
