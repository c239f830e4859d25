"""What was measured, as text and as Markdown."""

import os
import platform

from contenders import LEFT_OUT

OURS = "Local Order Book"


def machine():
    model = "unknown CPU"
    with open("/proc/cpuinfo") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.split(":")[1].strip()
                break
    return f"{model}, {os.cpu_count()} CPUs, {platform.system()} {platform.release()}"


def number(value):
    """Three digits, thousands apart."""
    if value is None:
        return ""
    if value < 100:
        return f"{value:.1f}"
    digits = len(str(int(value))) - 3
    return f"{round(value, -digits) if digits > 0 else value:,.0f}"


def spread(row):
    return f"{row['low']:.2f} – {row['high']:.2f}" if row.get("starts", 0) > 1 else ""


def lines(found):
    """The rows of a set, fastest first, those without a time last."""
    timed = sorted((row for row in found["rows"] if "ratio" in row), key=lambda row: row["ratio"])
    return timed, [row for row in found["rows"] if "ratio" not in row]


def noise(found):
    sentence = (f"against itself {found['itself']['ratio']:.4f} ({found['itself']['low']:.4f} – "
                f"{found['itself']['high']:.4f}, {found['itself']['starts']} starts): differences within "
                f"{100 * found['floor']:.1f} % are indistinguishable")
    if found["planted"]:
        sentence += f"; {found['plant']:g} % planted were measured as {planted(found)}"
    return sentence


def planted(found):
    return (f"{100 * (found['planted']['ratio'] - 1):.1f} %, "
            + ("found" if found["found"] else "NOT found")) if found["planted"] else ""


def text(found):
    perMessage = f"{found['levels'] / found['messages']:.1f}"
    head = ["", f"{found['set']}: {found['messages']:,} messages, {perMessage} levels each; "
            f"load {found['load']:.1f}", noise(found),
            f"{'':32}{'ns/message':>12}{'ns/level':>10}{'x ours':>9}   {'interval':<17}"
            f"{'p50 ns':>9}{'p99 ns':>9}"]
    timed, untimed = lines(found)
    for row in [found["engine"], *timed]:
        head.append(f"{row['name']:32}{number(row['nsPerMessage']):>12}{number(row['nsPerLevel']):>10}"
                    f"{row['ratio']:>9.2f}   {spread(row):<17}{number(row['p50']):>9}{number(row['p99']):>9}"
                    f"   {row['verdict'] if row['verdict'] != 'reference' else ''}".rstrip())
    return "\n".join(head + [f"{row['name']:32}{row['verdict']}" for row in untimed])


def names(found):
    """All contenders, in the order of their first appearance, fastest first."""
    order = {}
    for one in found:
        for row in lines(one)[0] + lines(one)[1]:
            order.setdefault(row["name"], None)
    return list(order)


def cell(found, name):
    for row in found["rows"]:
        if row["name"] == name:
            if "ratio" not in row:
                return row["verdict"].split(":")[0]
            mark = {"indistinguishable": " =", "faster": " **faster**"}.get(row["verdict"], "")
            return f"{number(row['nsPerMessage'])} (×{number(row['ratio'])}{mark})"
    return ""


def tails(found, name):
    rows = [found["engine"]] if name == OURS else [row for row in found["rows"] if row["name"] == name]
    return next((f"{number(row['p50'])} / {number(row['p99'])}" for row in rows if row.get("p50")), "")


def table(head, rows):
    return ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)] + \
        ["| " + " | ".join(row) + " |" for row in rows]


def markdown(found, facts):
    everybody = names(found)
    sets = [one["set"] for one in found]
    times = sorted(one["when"] for one in found)
    out = [f"Machine: {facts['machine']}. Measured {times[0]} to {times[-1]}.", "",
           "ns a message (× the engine's in the same rounds); of Python over the first 1,000 messages:", ""]
    out += table(["contender", *sets],
                 [["levels a message", *(f"{one['levels'] / one['messages']:.1f}" for one in found)],
                  [f"**{OURS}**", *(number(one["engine"]["nsPerMessage"]) for one in found)]]
                 + [[name, *(cell(one, name) for one in found)] for name in everybody])
    out += ["", "p50 / p99 of a message, ns:", ""]
    out += table(["contender", *sets],
                 [[name, *(tails(one, name) for one in found)] for name in [OURS, *everybody]
                  if any(tails(one, name) for one in found)])
    out += ["", "Noise of each set:", ""]
    out += table(["set", "against itself", "indistinguishable within", "planted", "measured as", "load"],
                 [[one["set"], f"{one['itself']['ratio']:.4f} ({spread(one['itself'])})",
                   f"{100 * one['floor']:.1f} %", f"{one['plant']:g} %", planted(one), f"{one['load']:.1f}"]
                  for one in found])
    out += ["", *(f"* {line}" for line in summary(found).split("\n")), "", "Versions and settings:", ""]
    groups = {}
    for name, setting in facts["settings"].items():
        groups.setdefault(setting, []).append(f"{name} ({' or '.join(titles(found, name))})")
    out += [f"* {'; '.join(whos)}: {setting}" for setting, whos in groups.items()]
    out += [f"* {name} is not measured: {reason}." for name, reason in LEFT_OUT.items()]
    return "\n".join(out) + "\n"


def titles(found, name):
    """What a contender calls itself: its versions, and the compiler of the program that was chosen."""
    rows = [row for one in found for row in one["rows"] if row["name"] == name]
    return sorted({row["title"] for row in rows if "title" in row})


def summary(found):
    """Wins, ties and losses of the engine, and who was wrong."""
    sorted_ = {"slower": [], "indistinguishable": [], "faster": []}
    rest = {}
    for one in found:
        for row in one["rows"]:
            if row["verdict"] in sorted_:
                sorted_[row["verdict"]].append(f"{row['name']} on {one['set']} (×{row['ratio']:.2f})")
            else:
                rest.setdefault(f"{row['name']} {row['verdict']}", []).append(one["set"])
    out = [f"wins {len(sorted_['slower'])}, ties {len(sorted_['indistinguishable'])}, "
           f"losses {len(sorted_['faster'])}"]
    out += [f"tie: {who}" for who in sorted_["indistinguishable"]]
    out += [f"loss: {who}" for who in sorted_["faster"]]
    out += [f"{who} ({', '.join(where)})" for who, where in rest.items()]
    return "\n".join(out)
