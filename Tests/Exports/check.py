#!/usr/bin/env python3
"""Checks every layout of `lob export` with the public package that it is meant for, by rebuilding the same book.

check.py LOB CAPTURE [CAPTURE …]

A capture may also be a recording of `lob run`: each of its symbols is checked.
"""
import gzip
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from decimal import Decimal

import numpy as np
import polars as pl
from hftbacktest import BacktestAsset, HashMapMarketDepthBacktest
from hftbacktest.data import validate_event_order
from hftbacktest.data.utils import binancefutures, tardis

LOB = sys.argv[1]
BUY, SELL = 1 << 29, 1 << 28


def run(*arguments, statuses=(0,)):
    done = subprocess.run([LOB, *arguments], capture_output=True, text=True)
    if done.returncode not in statuses:
        sys.exit(f"lob {' '.join(arguments)}: {done.returncode}\n{done.stderr}")
    return done


def proven(book, side):
    """The levels of a side that are proven, best first, exactly."""
    bound = book["proven"]["bid" if side == "bids" else "ask"]
    levels = [(Decimal(p), Decimal(q)) for p, q in book[side]]
    if bound is None:
        return levels
    bound = Decimal(bound)
    return [l for l in levels if (l[0] >= bound if side == "bids" else l[0] <= bound)]


def expect(what, found, wanted):
    if found != wanted:
        for index, (a, b) in enumerate(zip(found, wanted)):
            if a != b:
                sys.exit(f"{what}: level {index}: {a} instead of {b}")
        sys.exit(f"{what}: {len(found)} levels instead of {len(wanted)}")
    print(f"    {what}: {len(found)} levels equal")


def incremental(path, book):
    rows = pl.read_csv(path, schema_overrides={"price": pl.String, "amount": pl.String})
    books = {"bid": {}, "ask": {}}
    was = False
    for snapshot, side, price, amount in rows.select("is_snapshot", "side", "price", "amount").iter_rows():
        if snapshot and not was:
            books = {"bid": {}, "ask": {}}
        was = snapshot
        if Decimal(amount) == 0:
            books[side].pop(Decimal(price), None)
        else:
            books[side][Decimal(price)] = Decimal(amount)
    expect("tardis-l2 bids", sorted(books["bid"].items(), reverse=True), proven(book, "bids"))
    expect("tardis-l2 asks", sorted(books["ask"].items()), proven(book, "asks"))


def top(path, book, count, name):
    row = pl.read_csv(path, infer_schema=False).row(-1, named=True)
    for side in ("bids", "asks"):
        found = []
        for index in range(count):
            if name == "tardis-quotes":
                price, amount = row[f"{side[:-1]}_price"], row[f"{side[:-1]}_amount"]
            else:
                price, amount = row[f"{side}[{index}].price"], row[f"{side}[{index}].amount"]
            if price:
                found.append((Decimal(price), Decimal(amount)))
        expect(f"{name} {side}", found, proven(book, side)[:count])


def events(path, book):
    data = np.load(path)["data"]
    validate_event_order(data)
    sides = {"bids": {}, "asks": {}}
    for ev, px, qty in zip(data["ev"], data["px"], data["qty"]):
        side = sides["bids" if int(ev) & BUY else "asks"]
        kind = int(ev) & 0xFF
        if kind == 3:
            assert math.isnan(px)
            side.clear()
        elif qty == 0:
            side.pop(px, None)
        else:
            side[px] = qty
    for name, reverse in (("bids", True), ("asks", False)):
        wanted = [(float(p), float(q)) for p, q in proven(book, name)]
        expect(f"npz {name}", sorted(sides[name].items(), reverse=reverse), wanted)
    backtest(path, book)
    return data


def backtest(path, book):
    """The same through the package's own book."""
    # The package looks for the next level tick by tick: zeros that the venue prints behind them are no ticks.
    prices = [p.rstrip("0") for side in ("bids", "asks") for p, _ in book[side]]
    tick = 10.0 ** -max(len(p.split(".")[1]) if "." in p else 0 for p in prices)
    asset = BacktestAsset().data([path]).linear_asset(1.0).constant_order_latency(0, 0).risk_adverse_queue_model()
    asset = asset.no_partial_fill_exchange().trading_value_fee_model(0, 0).tick_size(tick).lot_size(1e-8)
    hbt = HashMapMarketDepthBacktest([asset])
    while hbt.elapse(60_000_000_000) == 0:
        pass
    depth = hbt.depth(0)
    for name, quantity in (("bids", depth.bid_qty_at_tick), ("asks", depth.ask_qty_at_tick)):
        wanted = [(float(p), float(q)) for p, q in proven(book, name)]
        found = [(p, quantity(round(p / tick))) for p, _ in wanted]
        expect(f"npz in the backtest, {name}", found, wanted)
    best = (depth.best_bid, depth.best_ask)
    wanted = (float(proven(book, "bids")[0][0]), float(proven(book, "asks")[0][0]))
    if any(abs(a - b) > tick / 2 for a, b in zip(best, wanted)):
        sys.exit(f"npz in the backtest: best {best} instead of {wanted}")
    hbt.close()


def text(path, book, market):
    """Replays the exported text: the same book, as far as it is proven."""
    done = run("replay", path, "--market", market, "--book", "--json", statuses=(0, 2))
    again = json.loads(done.stdout.splitlines()[0])
    if again["lastUpdateId"] != book["lastUpdateId"]:
        sys.exit(f"text: at {again['lastUpdateId']} instead of {book['lastUpdateId']}")
    if again.get("reason") == "shallow":
        # A body can bound both sides at the same count only, so less may be proven behind it, and the replay says so.
        print("    text: less is proven, so the replay ends without a book")
        return
    if again["state"] != "live":
        sys.exit(f"text: {again['state']}, {again.get('reason')}")
    for side in ("bids", "asks"):
        found = proven(again, side)
        expect(f"text {side}", found, proven(book, side)[: len(found)])


def converters(capture, work, array, l2):
    """Our arrays beside those of the package's own converters of the same input, and the time both take."""
    seconds = {}
    begin = time.perf_counter()
    theirs = binancefutures.convert(capture, base_latency=0)
    seconds["hftbacktest"] = time.perf_counter() - begin
    runs = []
    for _ in range(5):
        begin = time.perf_counter()
        run("export", capture, "--format", "npz", "--out", f"{work}/speed.npz", statuses=(0, 2))
        runs.append(time.perf_counter() - begin)
    seconds["lob"] = min(runs)
    print(
        f"    {os.path.getsize(capture) / 1e6:.1f} MB: hftbacktest's converter {seconds['hftbacktest']:.2f} s, "
        f"lob {seconds['lob']:.3f} s: {seconds['hftbacktest'] / seconds['lob']:.0f} times as fast")

    def levels(data):
        chosen = data[(data["ev"] & 0xFF) == 1]
        return {(int(ev) & (BUY | SELL), float(px), float(qty), int(t)) for ev, px, qty, t in zip(
            chosen["ev"], chosen["px"], chosen["qty"], chosen["exch_ts"])}

    ours, other = levels(array), levels(theirs)
    print(f"    {len(ours)} changes, {len(ours & other)} of them in the converter's {len(other)}")
    if not ours <= other:
        sys.exit(f"npz: changes that the converter does not have: {list(ours - other)[:3]}")
    empty = f"{work}/trades.csv.gz"
    with gzip.open(empty, "wt") as file:
        file.write("exchange,symbol,timestamp,local_timestamp,id,side,price,amount\n")
    packed = f"{work}/l2.csv.gz"
    with gzip.open(packed, "wb") as file:
        file.write(open(l2, "rb").read())
    fromCSV = tardis.convert([empty, packed], buffer_size=4 * len(array) + 1000)
    mine, its = len(ours), len(levels(fromCSV))
    print(f"    tardis-l2 through the package's converter: {its} changes, {mine} in the npz")


def sampled(path, work, symbols):
    """Samples of a recording: of every symbol, in order, and none inside a gap that the recording lists."""
    out = f"{work}/sampled.csv"
    run("export", path, "--format", "tardis-quotes", "--every", "100", "--out", out)
    times = {}
    for symbol, local in pl.read_csv(out, infer_schema=False).select("symbol", "local_timestamp").iter_rows():
        times.setdefault(symbol, []).append(int(local))
    gaps = [g for line in run("verify", "--json", path).stdout.splitlines() for g in json.loads(line)["gaps"]]
    for symbol in symbols:
        own = times.get(symbol, [])
        if len(own) < 10 or own != sorted(set(own)):
            sys.exit(f"{symbol}: {len(own)} samples, or not in order")
        for gap in gaps:
            if gap.get("symbol", symbol) != symbol:
                continue
            until = gap["toNs"] or math.inf
            if any(gap["fromNs"] < 1000 * t < until for t in own):
                sys.exit(f"{symbol}: samples in a gap from {gap['fromNs']} to {until}")
        print(f"    {symbol}: {len(own)} samples, none in a gap")


def check(capture, market, part):
    """Every layout of one capture, or of one symbol of a recording."""
    with tempfile.TemporaryDirectory() as work:
        of = part or ["--market", market]
        done = run("replay", capture, *of, "--book", "--json", statuses=(0, 2))
        book = json.loads(done.stdout.splitlines()[0])
        files = {}
        for name in ("tardis-l2", "tardis-25", "tardis-5", "tardis-quotes", "npz", "text"):
            files[name] = f"{work}/out.{'npz' if name == 'npz' else 'csv'}.{name}"
            if name == "npz":
                files[name] = f"{work}/out.npz"
            run("export", capture, *of, "--format", name, "--out", files[name], statuses=(0, 2))
        incremental(files["tardis-l2"], book)
        top(files["tardis-25"], book, 25, "tardis-25")
        top(files["tardis-5"], book, 5, "tardis-5")
        top(files["tardis-quotes"], book, 1, "tardis-quotes")
        array = events(files["npz"], book)
        text(files["text"], book, market)
        if market == "usdm" and os.path.isfile(capture):
            converters(capture, work, array, files["tardis-l2"])


for capture in sys.argv[2:]:
    if os.path.isdir(capture) and any(name.endswith(".lobrec") for name in os.listdir(capture)):
        shards = [json.loads(line) for line in run("record-info", "--json", capture).stdout.splitlines()]
        symbols = sorted(row["symbol"] for shard in shards for row in shard["symbols"])
        with tempfile.TemporaryDirectory() as work:
            print(f"{capture}: {len(shards)} shards")
            sampled(capture, work, symbols)
        for symbol in symbols:
            print(f"{capture}, {symbol}")
            check(capture, "spot", ["--symbol", symbol])
        continue
    print(capture)
    check(capture, "usdm" if "usdm" in capture else "coinm" if "coinm" in capture else "spot", None)
print("all layouts rebuild the book that lob replay prints")
