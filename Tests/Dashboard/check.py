"""Looks at a served `lob` as its users do, and fails loudly. Usage: check.py LOB"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

LOB = sys.argv[1]
SYMBOL = "ADAUSDT"
findings = []


def check(is_right, what):
    print(("ok    " if is_right else "WRONG ") + what, flush=True)
    if not is_right:
        findings.append(what)


def fetch(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode()


def wait_for(condition, seconds, every=0.1):
    end = time.time() + seconds
    while time.time() < end:
        value = condition()
        if value:
            return value
        time.sleep(every)
    return None


class Stack:
    """A simulated exchange, and a `lob run --serve` of it."""

    def __init__(self, symbols):
        self.exchange = subprocess.Popen(
            [LOB, "exchange", "--listen", "127.0.0.1:0", "--symbols", str(symbols), "--json"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        rest = json.loads(self.exchange.stdout.readline())["rest"]
        self.log = tempfile.NamedTemporaryFile("w+", suffix=".log")
        self.run = subprocess.Popen(
            [LOB, "run", "--all", "--rest-url", rest, "--ws-url", "ws" + rest[4:], "--audit-every", "20",
             "--serve", "127.0.0.1:0", "--log-format", "json", "--plain"],
            stdout=subprocess.DEVNULL, stderr=self.log)
        self.url = wait_for(self.address, 30)
        wait_for(lambda: json.loads(fetch(self.url + "/health"))["live"] == symbols, 60)

    def address(self):
        found = re.search(r'"dashboard":"(http[^"]*?)/"', open(self.log.name).read())
        return found and found.group(1)

    def stop(self):
        for process in (self.run, self.exchange):
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
        for process in (self.run, self.exchange):
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


def look(stack, browser):
    """The table, the ladder, the heatmap, keys, phone and themes; then faults."""
    noise = []

    def open_page(width, height, scheme, hash=""):
        page = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme).new_page()
        page.on("console", lambda m: noise.append(m.text) if m.type in ("error", "warning")
                # What reads the canvas is this test.
                and "willReadFrequently" not in m.text else None)
        page.on("pageerror", lambda e: noise.append(str(e)))
        page.on("request", lambda r: noise.append("outside: " + r.url) if not r.url.startswith(stack.url) else None)
        page.goto(stack.url + "/" + hash)
        page.wait_for_function("() => lob.feed.book && document.querySelectorAll('#ladderrows .l').length > 6")
        return page

    page = open_page(1500, 900, "dark", "#" + SYMBOL)
    count = len(json.loads(fetch(stack.url + "/v1/books"))["books"])
    check(int(page.get_attribute("#grid", "aria-rowcount")) == count + 1, f"the table has {count} rows")
    nodes = page.evaluate("document.querySelectorAll('.r').length")
    check(nodes < 60, f"of which {nodes} nodes exist")
    ladder(page, stack)
    heatmap(page)
    keys(page)
    for scheme in ("light", "dark"):
        contrast(open_page(1280, 800, scheme), scheme)
    phone(open_page(390, 844, "light"))
    unnamed = page.evaluate("""[...document.querySelectorAll('button, input, canvas, img')]
        .filter(e => !(e.getAttribute('aria-label') || e.textContent.trim() || e.hasAttribute('alt'))).length""")
    check(unnamed == 0, "everything to press or to look at has a name")
    for scheme, hash in (("light", ""), ("dark", "#" + SYMBOL)):
        accessible(open_page(1280, 800, scheme, hash), scheme)
    accessible(open_page(390, 844, "light"), "phone")
    check(noise == [], f"no error, no warning and no request to elsewhere: {noise[:3]}")
    scrolling(page)
    faults(page, stack)


def ladder(page, stack):
    """What stands in the page is what REST says at the same update id."""
    script = """async (symbol) => {
        const rest = await (await fetch('/api/v3/depth?symbol=' + symbol + '&limit=8')).json();
        const book = lob.feed.book;
        if (!book || book.symbol !== symbol || book.lastUpdateId !== rest.lastUpdateId) return null;
        const rows = (side) => [...document.querySelectorAll('#ladderrows .l.' + side)];
        const text = (row, cell) => row.querySelectorAll('span')[cell].textContent;
        return {
            rest: [rest.bids, rest.asks],
            page: [rows('bid').slice(0, 8).map(r => [text(r, 2), text(r, 1)]),
                   rows('ask').reverse().slice(0, 8).map(r => [text(r, 2), text(r, 3)])] };
    }"""
    equal = 0
    for _ in range(200):
        both = page.evaluate(script, SYMBOL)
        if both:
            numbers = lambda sides: [[[float(x) for x in level] for level in side] for side in sides]
            if numbers(both["rest"]) != numbers(both["page"]):
                check(False, f"ladder and REST differ: {both}")
                return
            equal += 1
            if equal == 5:
                break
        page.wait_for_timeout(80)
    check(equal == 5, f"{equal} ladders of 8 levels a side equal REST at the same id")


def heatmap(page):
    picture = """() => { const c = document.getElementById('heatcanvas');
        const data = new Uint32Array(c.getContext('2d').getImageData(0, 0, c.width, c.height).data.buffer);
        let hash = 0; for (const pixel of data) hash = (hash * 31 + pixel) | 0;
        return { hash, colours: new Set(data).size, columns: lob.heatmap().columns }; }"""
    page.wait_for_timeout(1500)
    first = page.evaluate(picture)
    page.wait_for_timeout(2000)
    second = page.evaluate(picture)
    check(second["columns"] >= first["columns"] + 4, f"the heatmap goes on: {first['columns']}, {second['columns']} columns")
    check(first["hash"] != second["hash"] and second["colours"] > 20, f"it moves, in {second['colours']} colours")


def keys(page):
    page.focus("#rows")
    before = page.evaluate("lob.feed.selected")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    check(page.evaluate("lob.feed.selected") != before, "arrows choose a symbol")
    page.keyboard.press("/")
    page.keyboard.type("BTC")
    page.wait_for_function("() => document.getElementById('grid').getAttribute('aria-rowcount') < 10")
    check(page.evaluate("document.activeElement.id") == "filter", "/ goes to the filter, and it filters")
    page.keyboard.press("Escape")
    theme = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.keyboard.press("t")
    check(page.evaluate("getComputedStyle(document.body).backgroundColor") != theme, "t changes the theme")
    page.keyboard.press("t")


def scrolling(page):
    """Frames in a second while 1,500 rows are scrolled through."""
    rate = page.evaluate("""async () => {
        const { feed } = lob;
        const first = feed.books.get(feed.order[0]);
        for (let i = feed.order.length; i < 1500; i++) {
            const symbol = 'TEST' + i;
            feed.books.set(symbol, { ...first, symbol });
            feed.order.push(symbol);
        }
        feed.onRows();
        const rows = document.getElementById('rows');
        await new Promise(requestAnimationFrame);
        const start = performance.now();
        let frames = 0;
        while (performance.now() - start < 2000) {
            rows.scrollTop = (rows.scrollTop + 90) % (rows.scrollHeight - rows.clientHeight);
            await new Promise(requestAnimationFrame);
            frames++;
        }
        const seconds = (performance.now() - start) / 1000;
        for (const symbol of feed.order.splice(feed.order.findIndex(s => s.startsWith('TEST')))) feed.books.delete(symbol);
        rows.scrollTop = 0;
        feed.onRows();
        return frames / seconds;
    }""")
    check(rate >= 30, f"{rate:.0f} frames a second while scrolling 1,500 rows")


def contrast(page, scheme):
    script = """() => {
        const light = (colour) => { const [r, g, b] = colour.match(/[\\d.]+/g).map(Number).map(v => v / 255)
            .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
            return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
        const probe = document.createElement('i'); document.body.append(probe);
        const get = (name) => { probe.style.color = `var(--${name})`; return light(getComputedStyle(probe).color); };
        const ratio = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        const all = Object.fromEntries(['text', 'dim', 'bid', 'ask', 'live', 'alarm', 'sync'].map(n => [n, ratio(get(n), get('pane'))]));
        all.onalarm = ratio(get('onalarm'), get('alarm')); probe.remove(); return all; }"""
    ratios = page.evaluate(script)
    check(min(ratios.values()) >= 4.5, f"{scheme}: least contrast {min(ratios.values()):.1f} of {min(ratios, key=ratios.get)}")


def accessible(page, name):
    """The rules of axe-core, all of them."""
    result = Axe().run(page)
    for violation in result.response["violations"]:
        nodes = "; ".join(node["html"][:120] for node in violation["nodes"][:3])
        print(f"      {violation['id']} ({violation['impact']}): {violation['help']}: {nodes}")
    passes = len(result.response["passes"])
    check(result.violations_count == 0, f"axe-core, {name}: {passes} rules hold, {result.violations_count} violated")


def phone(page):
    wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    check(not wide and page.is_visible("#rows") and not page.is_visible("#book"), "phone: the table alone, nothing too wide")
    page.click(".r:not([hidden])")
    check(page.is_visible("#ladder") and not page.is_visible("#rows"), "phone: a tap opens the book")
    check(not page.evaluate("document.documentElement.scrollWidth > innerWidth"), "phone: the book is not too wide")
    page.click("#back")
    check(page.is_visible("#rows"), "phone: and back")


def faults(page, stack):
    stack.exchange.kill()
    start = time.time()
    page.wait_for_function("() => document.getElementById('book').className === 'stale'", polling=20, timeout=30000)
    check(page.is_visible("#ladder .stamp") and page.get_attribute("#ladder .stamp", "data-word") == "STALE",
          f"{time.time() - start:.2f} s after the exchange died the book says STALE")
    check(time.time() - start < 1.5, "which is soon enough")
    levels = json.loads(fetch(f"{stack.url}/v1/books/{SYMBOL}"))["bids"]["levels"]
    check(levels is None, "and /v1 shows no level of it")
    stack.run.kill()
    page.wait_for_selector("#alarm:not([hidden])", timeout=10000)
    check("STALE" in page.inner_text("#alarm"), "without a server the whole page says so")


def contract(url):
    """The answers against the document that describes them."""
    folder = tempfile.mkdtemp()  # where it leaves its notes
    result = subprocess.run(
        ["schemathesis", "run", url + "/v1/openapi.json", "--max-examples", os.environ.get("LOB_EXAMPLES", "50"),
         "--exclude-path", "/v1/stream",
         # The library answers unknown methods itself; a decimal finer than a symbol's is refused on purpose.
         "--exclude-checks", "unsupported_method,positive_data_acceptance",
         "--phases", "examples,coverage,fuzzing", "--request-timeout", "20"],
        capture_output=True, text=True, cwd=folder)
    shutil.rmtree(folder)
    text = result.stdout
    # A path or query with a NUL is hung up on before anybody sees it: that is no answer to be described.
    errors = [part for part in re.findall(r"curl -X [^\n]*", text) if "%00" not in part]
    cases = re.search(r"(\d+) generated", text)
    check(not errors and "Failures:" not in text, f"schemathesis: {cases.group(1) if cases else '?'} cases, {len(errors)} findings")
    if errors:
        print(text[-4000:])


def prometheus(url):
    page = fetch(url + "/metrics")
    result = subprocess.run(["promtool", "check", "metrics"], input=page, capture_output=True, text=True)
    check(result.returncode == 0, f"promtool check metrics: {len(page.splitlines())} lines {result.stderr[:300]}")
    with tempfile.TemporaryDirectory() as folder:
        rules = os.path.join(folder, "rules.yaml")
        with open(rules, "w") as file:
            subprocess.run([LOB, "run", "--print-alerts"], stdout=file, check=True)
        result = subprocess.run(["promtool", "check", "rules", rules], capture_output=True, text=True)
        check(result.returncode == 0, "promtool check rules: " + result.stdout.strip().split("\n")[-1].strip())
        dashboard = json.loads(subprocess.run([LOB, "run", "--print-dashboard"], capture_output=True, check=True).stdout)
        queries = [t["expr"].replace("$instance", ".*") for p in dashboard["panels"] for t in p["targets"]]
        with open(rules, "w") as file:
            json.dump({"groups": [{"name": "dashboard", "rules": [
                {"record": f"query:{i}", "expr": query} for i, query in enumerate(queries)]}]}, file)
        result = subprocess.run(["promtool", "check", "rules", rules], capture_output=True, text=True)
        check(result.returncode == 0, f"promtool: {len(queries)} queries of the Grafana dashboard {result.stdout[-200:] if result.returncode else ''}")
        names = set(re.findall(r"^# TYPE (\S+)", page, re.M))
        used = set(re.findall(r"\blob_[a-z_]+", json.dumps(queries) + open(rules).read()
                              + subprocess.run([LOB, "run", "--print-alerts"], capture_output=True, text=True).stdout))
        strangers = {name for name in used if name not in names and name.removesuffix("_bucket") not in names}
        check(not strangers, f"all {len(used)} names that they use are served {strangers or ''}")


def main():
    stack = Stack(40)
    try:
        prometheus(stack.url)
        contract(stack.url)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
            look(stack, browser)
            browser.close()
    finally:
        stack.stop()
    print(f"{len(findings)} findings")
    sys.exit(1 if findings else 0)


main()
