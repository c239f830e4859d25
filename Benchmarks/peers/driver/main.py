"""Local Order Book beside what its users would pick instead, on the same bytes: Benchmarks/peers/run."""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import chart
import contenders
import measure
import report
import session
from contenders import OUT, ROOT, say

GENERATED = ["spot-alt"]
# The sets of the README's table.
TABLE = ["hbt-spot-btcusdt-2024-08", "do-spot-ethbtc-2020-11", "cf-spot-3sym-2021-04-04",
         "hbt-usdm-btcusdt-2024-08", "hbt-usdm-ethusdt-2024-07", "hbt-coinm-btcusdperp-2024-08",
         "jl-spot-nexousdt-2024-07", "spot-alt"]


def options():
    parser = argparse.ArgumentParser(
        prog="Benchmarks/peers/run", description=__doc__,
        epilog="Exit status: 0 measured; 1 nothing could be measured; 3 the planted slow-down was not found "
               "in a set, so its numbers tell less than they should.")
    parser.add_argument("--set", action="append", default=[], metavar="NAME",
                        help="only this set; may be repeated. Without it, all captures and a generated one")
    parser.add_argument("--table", action="store_true", help="the sets of the README's table")
    parser.add_argument("--only", action="append", default=[], metavar="TEXT",
                        help="keep contenders with this text in their name; may be repeated, one must match")
    parser.add_argument("--quick", action="store_true", help="few rounds: shows that everything works")
    parser.add_argument("--plant", type=float, default=3, metavar="PERCENT",
                        help="slow-down of the engine that must be found (3; 0 plants none)")
    parser.add_argument("--bench", type=Path, metavar="FILE", help="this program instead of building it")
    parser.add_argument("--report", action="store_true", help="only print what was measured before")
    return parser.parse_args()


def builtBench(given):
    if given:
        return given
    say("building bench")
    flags = os.environ.get("PEERS_BUILD_FLAGS", "").split()
    subprocess.run(["swift", "build", "-c", "release", "--product", "bench", *flags], cwd=ROOT, check=True,
                   stdout=sys.stderr)
    return ROOT / ".build" / "release" / "bench"


def feeds(bench, wanted):
    """The exported sets and their sizes, by name; exported once."""
    folder = OUT / "feeds"
    folder.mkdir(parents=True, exist_ok=True)
    captures = Path(os.environ.get("LOB_CAPTURES", ROOT.parent / "shared" / "data"))
    sources = {name: ["--filter", name] for name in GENERATED}
    for path in sorted(captures.iterdir()) if captures.is_dir() else []:
        if path.is_dir():
            sources[path.name] = ["--capture", path]
    found, left = {}, {}
    for name, arguments in sources.items():
        if wanted and name not in wanted:
            continue
        mark, file = folder / f"{name}.size", folder / f"{name}.peer"
        if not (mark.exists() and file.exists()):
            done = subprocess.run([str(bench), "--export", str(folder), *map(str, arguments)],
                                  capture_output=True, text=True)
            if done.returncode:
                left[name] = done.stderr.strip().split(": ")[-1]
                continue
            mark.write_text(done.stdout.strip().split("\n")[-1])
        words = mark.read_text().split("\t")
        found[name] = dict(zip(["messages", "levels", "bytes", "snapshot"], map(int, words[1:])), file=file)
    for name in wanted:
        if name not in found:
            left.setdefault(name, f"no such set in {captures}")
    return found, left


def main():
    wanted = options()
    results = OUT / "results"
    results.mkdir(parents=True, exist_ok=True)
    names = wanted.set + (TABLE if wanted.table else [])
    if not wanted.report:
        bench = builtBench(wanted.bench)
        sets, left = feeds(bench, names)
        for name, reason in left.items():
            say(f"{name}: left out, {reason}")
        entries = [entry for entry in contenders.all(wanted.quick)
                   if not wanted.only or any(text.lower() in entry.name.lower() for text in wanted.only)]
        facts = {"machine": report.machine(), "settings": {entry.name: entry.settings for entry in entries}}
        (results / "facts.txt").write_text(json.dumps(facts, indent=1))
        for name, size in sets.items():
            say(f"{name}: {size['messages']:,} messages, {size['levels']:,} levels")
            try:
                found = session.measured(name, size, bench, entries, wanted)
            except measure.Gone as gone:
                say(f"{name}: left out, {gone}")
                continue
            (results / f"{name}.json").write_text(json.dumps(found, indent=1))
            print(report.text(found), flush=True)
        if not sets:
            sys.exit(1)
        names = list(sets)
    found = [json.loads(path.read_text()) for path in sorted(results.glob("*.json"))]
    found = [one for one in found if not names or one["set"] in names]
    if not found:
        sys.exit("nothing was measured")
    found.sort(key=lambda one: (TABLE.index(one["set"]) if one["set"] in TABLE else len(TABLE), one["set"]))
    facts = json.loads((results / "facts.txt").read_text())
    (OUT / "table.md").write_text(report.markdown(found, facts))
    (OUT / "table.svg").write_text(chart.svg(found))
    print(report.summary(found))
    print(f"table and chart: {OUT.relative_to(ROOT)}/table.md, table.svg")
    if not all(one["found"] for one in found):
        sys.exit(3)


if __name__ == "__main__":
    main()
