#!/usr/bin/env python3
"""Reads the demangled output of `perf script -F comm,ip,sym,dso`; writes what it says about one function.

The default is a flame graph as SVG: width is the share of samples, height the depth of calls, and each box
tells its share when pointed at. --report writes a table instead: samples by the function they were taken in.
With --root, only stacks that pass through a function of that name count, from there upwards.
"""
import argparse
import collections
import colorsys
import html
import re
import sys
import zlib

WIDTH, ROW, MARGIN, CHARACTER = 1200, 18, 12, 6.6
FRAME = re.compile(r"^\s+[0-9a-f]+\s+(.*?)(?:\+0x[0-9a-f]+)?\s+\(([^()]*)\)$")


def read_stacks(lines, root):
    """Yields stacks, outermost function first, each frame as (function, is_ours)."""
    stack = []
    for line in list(lines) + ["\n"]:
        frame = FRAME.match(line)
        if frame:
            function, library = frame.group(1), frame.group(2)
            stack.append((shorten(function), library.rsplit("/", 1)[-1] == "bench"))
        elif not line.strip() and stack:
            stack.reverse()
            names = [name for name, _ in stack]
            start = next((i for i, name in enumerate(names) if root and root in name), None)
            if root is None or start is not None:
                yield stack[start or 0:]
            stack = []


def shorten(function):
    """Drops what the compiler adds to a name and no reader wants."""
    function = re.sub(r"^(generic specialization <.*> of|specialized|partial apply for|merged) ", "",
                      function)
    return re.sub(r" \[inlined\]$", "", function)


class Box:
    def __init__(self):
        self.count, self.is_ours, self.children = 0, True, {}


def build(stacks):
    top = Box()
    for stack in stacks:
        top.count += 1
        box = top
        for name, is_ours in stack:
            box = box.children.setdefault(name, Box())
            box.count += 1
            box.is_ours = is_ours
    return top


def depth(box):
    return 1 + max((depth(child) for child in box.children.values()), default=0)


def colour(name, is_ours):
    spread = zlib.crc32(name.encode()) % 40
    if not is_ours:
        return rgb(205 + spread // 4, 25, 78 + spread % 8)
    if re.match(r"^[a-z_0-9]+$", name):  # C kernels
        return rgb(95 + spread, 45, 66 + spread % 8)
    return rgb(18 + spread, 85, 64 + spread % 8)


def rgb(hue, saturation, lightness):
    """In degrees and per cent; as hexadecimal, which every viewer of SVG knows."""
    parts = colorsys.hls_to_rgb(hue / 360, lightness / 100, saturation / 100)
    return "#" + "".join(f"{round(255 * part):02x}" for part in parts)


def draw(box, name, x, level, scale, total, height, out):
    width = box.count * scale
    if width < 0.4:
        return
    y = height - MARGIN - (level + 1) * ROW
    share = 100 * box.count / total
    fits = max(int((width - 6) / CHARACTER), 1)
    label = name if len(name) <= fits else name[: fits - 1] + "…"
    out.append(
        f'<g><title>{html.escape(name)}: {share:.1f} % ({box.count} samples)</title>'
        f'<rect x="{x:.1f}" y="{y}" width="{max(width - 0.5, 0.3):.1f}" height="{ROW - 1}" rx="1.5" '
        f'fill="{colour(name, box.is_ours)}"/>'
    )
    if width > 30:
        out.append(f'<text x="{x + 3:.1f}" y="{y + 12.5}">{html.escape(label)}</text>')
    out.append("</g>")
    for child_name, child in sorted(box.children.items()):
        draw(child, child_name, x, level + 1, scale, total, height, out)
        x += child.count * scale


def report(stacks):
    """Samples by innermost function, most first, down to half a per cent."""
    counts = collections.Counter(stack[-1][0] for stack in stacks)
    total = sum(counts.values())
    for name, count in counts.most_common():
        if count * 200 >= total:
            print(f"{100 * count / total:5.1f} %  {count:7}  {name}")


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--root", help="only what this function calls")
    arguments.add_argument("--report", action="store_true", help="a table instead of a picture")
    arguments.add_argument("--title", default="flame graph")
    options = arguments.parse_args()
    stacks = list(read_stacks(sys.stdin, options.root))
    if not stacks:
        sys.exit("stacks.py: no stack passes through " + str(options.root))
    if options.report:
        return report(stacks)
    top = build(stacks)
    height = depth(top) * ROW + 2 * MARGIN + 40
    scale = (WIDTH - 2 * MARGIN) / top.count
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
        f'height="{height}" '
        'font-family="\'DejaVu Sans Mono\',Menlo,monospace" font-size="11" fill="#1f2328">',
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        f'<text x="{MARGIN}" y="26" font-size="16" font-weight="bold">{html.escape(options.title)}</text>',
        f'<text x="{WIDTH - MARGIN}" y="26" text-anchor="end" fill="#57606a">{top.count} samples; '
        "orange: Swift of this package, green: its C kernels, blue: libraries</text>",
    ]
    x = MARGIN
    for name, box in sorted(top.children.items()):
        draw(box, name, x, 0, scale, top.count, height, out)
        x += box.count * scale
    print("\n".join(out + ["</svg>"]))


main()
