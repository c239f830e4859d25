"""Bars of ns a message, one group a set, on a logarithmic scale."""

import math

import report

WIDTH, LEFT, RIGHT, BAR, GAP = 960, 200, 110, 13, 34
COLOURS = {"Local": "#d9480f", "Java": "#5c7cfa", "Rust": "#845ef7", "Python": "#868e96"}


def escaped(text):
    return text.replace("&", "&amp;").replace("<", "&lt;")


def svg(found):
    groups = []
    for one in found:
        rows = [one["engine"]] + report.lines(one)[0]
        groups.append((one, rows))
    values = [row["nsPerMessage"] for _, rows in groups for row in rows]
    low, high = 10 ** math.floor(math.log10(min(values))), max(values)
    span = WIDTH - LEFT - RIGHT

    def x(value):
        return LEFT + span * (math.log10(value) - math.log10(low)) / (math.log10(high) - math.log10(low))

    body, y = [], 40
    top = y
    for one, rows in groups:
        y += GAP - BAR
        body.append(f'<text x="{LEFT}" y="{y - 6}" class="set">{escaped(one["set"])}, '
                    f'{one["levels"] / one["messages"]:.1f} levels a message</text>')
        for row in rows:
            colour = next((c for start, c in COLOURS.items() if row["name"].startswith(start)), "#4dabf7")
            body.append(f'<text x="{LEFT - 6}" y="{y + BAR - 3}" class="name">{escaped(row["name"])}</text>')
            body.append(f'<rect x="{LEFT}" y="{y + 1}" width="{max(x(row["nsPerMessage"]) - LEFT, 1):.1f}" '
                        f'height="{BAR - 2}" fill="{colour}"/>')
            times = "" if row["ratio"] == 1 else f' ×{report.number(row["ratio"])}'
            body.append(f'<text x="{x(row["nsPerMessage"]) + 4:.1f}" y="{y + BAR - 3}" class="value">'
                        f'{report.number(row["nsPerMessage"])}{times}</text>')
            y += BAR
    lines, decade = [], low
    while decade <= high:
        lines.append(f'<line x1="{x(decade):.1f}" x2="{x(decade):.1f}" y1="{top}" y2="{y}" class="grid"/>')
        lines.append(f'<text x="{x(decade):.1f}" y="{top - 4}" class="tick">{decade:,} ns</text>')
        decade *= 10
    style = ("text{font:11px sans-serif;fill:#212529}.set{font-weight:bold}.name{text-anchor:end}"
             ".value{font-size:10px}.tick{text-anchor:middle;fill:#868e96}.grid{stroke:#dee2e6}")
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y + 20}" '
            f'viewBox="0 0 {WIDTH} {y + 20}"><style>{style}</style>'
            f'<rect width="100%" height="100%" fill="#fff"/>'
            f'<text x="8" y="16">Wire bytes to book, best prices read after each message: ns a message '
            f'(× Local Order Book), logarithmic</text>{"".join(lines)}{"".join(body)}</svg>\n')
