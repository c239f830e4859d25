// The selected book: ladder and cumulative depth. A book that is not live keeps its last picture under a stamp
// that says so.
import { feed } from "/page/feed.js";
import { basisPoints, cut, decimalsOf, make, marks, put, reasons, short, trimmed } from "/page/format.js";

const book = document.getElementById("book");
const rows = document.getElementById("ladderrows");
const canvas = document.getElementById("depthcanvas");
const tip = document.getElementById("depthtip");
let last = null;
let pointer = null;
let ladder = { levelCount: 0, asks: [], bids: [], mid: null };

/** Colours of the current theme. */
export function colours() {
  const style = getComputedStyle(document.documentElement);
  const probe = document.getElementById("probe") ?? document.body.appendChild(Object.assign(make("i"), { id: "probe", hidden: true }));
  const resolve = (name) => {
    probe.style.color = style.getPropertyValue(name);
    return getComputedStyle(probe).color;
  };
  const names = ["bg", "pane", "line", "text", "dim", "bid", "ask", "bidbar", "askbar", "alarm", "soft"];
  return Object.fromEntries(names.map((name) => [name, resolve("--" + name)]));
}

/** A canvas in device pixels; its context draws in CSS pixels. */
export function prepare(canvas) {
  const ratio = Math.min(window.devicePixelRatio || 1, 2);
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  if (width < 2 || height < 2) return null;
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height, ratio };
}

/** Levels with cumulative sums as numbers, for drawing. */
export function numbers(side) {
  let [quantity, notional] = [0, 0];
  return (side.levels ?? []).map(([price, amount]) => {
    const [p, q] = [Number(price), Number(amount)];
    quantity += q;
    notional += p * q;
    return { price: p, quantity: q, sum: quantity, notional };
  });
}

export function draw(body) {
  if (body) {
    show(body);
    if (body.bids.levels && body.asks.levels) last = body;
  } else {
    last = null;
  }
  if (!last) {
    rows.replaceChildren();
    ladder.levelCount = 0;
    prepare(canvas);
    return;
  }
  drawLadder(last);
  drawDepth();
}

function show(body) {
  put(document.getElementById("name"), body.symbol);
  const badge = document.getElementById("state");
  badge.className = "badge " + body.state;
  put(badge, marks[body.state] + " " + (body.reason ? body.state + ": " + body.reason : body.state));
  const isShown = body.state === "live" && body.isServed;
  book.className = isShown ? "" : body.state === "live" ? "syncing" : body.state;
  const word = body.state === "stale" ? "STALE" : body.state === "live" ? "BRIDGING" : "SYNCING";
  const why = body.reason ? reasons[body.reason] ?? body.reason : "no proven book yet";
  for (const stamp of book.querySelectorAll(".stamp")) [stamp.dataset.word, stamp.dataset.why] = [word, why];
}

// Ladder

function cell() {
  const node = make("span");
  node.setAttribute("role", "cell");
  return node;
}

function build(levelCount) {
  const row = (className) => {
    const node = make("div", "l " + className);
    node.setAttribute("role", "row");
    const bar = make("b");
    bar.setAttribute("aria-hidden", "true");
    const cells = [0, 1, 2, 3, 4].map(cell);
    node.append(bar, ...cells);
    return { node, bar, cells };
  };
  ladder = { levelCount, asks: [], bids: [], mid: make("div", "l mid") };
  ladder.mid.setAttribute("role", "row");
  for (let i = 0; i < levelCount; i++) {
    ladder.asks.push(row("ask"));
    ladder.bids.push(row("bid"));
  }
  ladder.asks[0].node.classList.add("best");
  ladder.bids[0].node.classList.add("best");
  rows.replaceChildren(...ladder.asks.map((r) => r.node).reverse(), ladder.mid, ...ladder.bids.map((r) => r.node));
}

function drawLadder(body) {
  const levelCount = Math.max(Math.min(Math.floor((rows.clientHeight - 28) / 2 / 21), 25), 3);
  if (levelCount !== ladder.levelCount) build(levelCount);
  const [bids, asks] = [body.bids.levels.slice(0, levelCount), body.asks.levels.slice(0, levelCount)];
  const both = [...bids, ...asks];
  const prices = decimalsOf(both.map((level) => level[0]));
  const quantities = decimalsOf(both.map((level) => level[1]));
  const [bidSums, askSums] = [numbers({ levels: bids }), numbers({ levels: asks })];
  const most = Math.max(...both.map((level) => Number(level[1])), 1e-12);
  const fill = (side, levels, sums, isBid) => side.forEach((row, index) => {
    const level = levels[index];
    row.bar.style.transform = `scaleX(${level ? Math.sqrt(Math.min(Number(level[1]) / most, 1)) : 0})`;
    const price = level ? cut(level[0], prices) : "";
    const quantity = level ? cut(level[1], quantities) : "";
    const sum = level ? short(sums[index].sum) : "";
    put(row.cells[0], isBid ? sum : "");
    put(row.cells[1], isBid ? quantity : "");
    put(row.cells[2], price);
    put(row.cells[3], isBid ? "" : quantity);
    put(row.cells[4], isBid ? "" : sum);
  });
  fill(ladder.bids, bids, bidSums, true);
  fill(ladder.asks, asks, askSums, false);
  drawMiddle(bids[0], asks[0], prices);
}

function drawMiddle(bid, ask) {
  if (!ladder.mid.firstChild) {
    for (const name of ["spread", "mid"]) {
      const part = cell();
      part.append(name + " ", make("em"));
      ladder.mid.append(part);
    }
  }
  const [spread, mid] = ladder.mid.querySelectorAll("em");
  const points = bid && ask ? basisPoints({ price: bid[0] }, { price: ask[0] }) : null;
  put(spread, points == null ? "–" : short(points) + " bp");
  put(mid, feed.analytics?.mid ? trimmed(feed.analytics.mid) : "–");
}

/** The numbers next to the name. */
export function drawFacts(analytics) {
  const facts = document.getElementById("facts");
  const entries = [
    ["Bid", trimmed(analytics.bid?.price), "bid"], ["Ask", trimmed(analytics.ask?.price), "ask"],
    ["Spread", trimmed(analytics.spread), ""], ["Microprice", cut(analytics.microprice, decimalsOf([analytics.bid?.price ?? "", analytics.ask?.price ?? ""]) + 2), "wide"],
    ["Imbalance, 10", analytics.imbalance.value == null ? "–" : Number(analytics.imbalance.value).toFixed(2), ""],
    ["Within 10 bp", within(analytics.basisPoints), "wide"],
  ];
  if (facts.children.length !== entries.length) {
    facts.replaceChildren(...entries.map(([title, , className]) => {
      const part = make("div", className);
      part.append(make("dt", "", title), make("dd", "", "–"));
      return part;
    }));
  }
  entries.forEach(([, text], index) => put(facts.children[index].lastChild, text));
}

function within(sums) {
  if (!sums?.bids || !sums?.asks) return "–";
  const text = (sum) => (sum.complete ? "" : "≥ ") + short(Number(sum.quantity));
  return text(sums.bids) + " / " + text(sums.asks);
}

// Cumulative depth

function drawDepth() {
  const place = prepare(canvas);
  if (!place || !last) return;
  const [bids, asks] = [numbers(last.bids), numbers(last.asks)];
  if (!bids.length || !asks.length) return;
  const { context, width, height } = place;
  const colour = colours();
  const [bottom, top, left, right] = [height - 20, 8, 4, width - 54];
  const mid = (bids[0].price + asks[0].price) / 2;
  const reach = Math.min(mid - bids.at(-1).price, asks.at(-1).price - mid) || mid / 1000;
  const [low, high] = [mid - reach * 1.04, mid + reach * 1.04];
  const inside = (levels) => levels.filter((level) => level.price >= low && level.price <= high);
  const most = Math.max(...[...inside(bids), ...inside(asks)].map((level) => level.sum), 1e-12) * 1.06;
  const x = (price) => left + ((price - low) / (high - low)) * (right - left);
  const y = (sum) => bottom - (sum / most) * (bottom - top);

  axes(context, colour, { low, high, most, left, right, top, bottom, x, y, width });
  for (const [levels, name, edge] of [[bids, "bid", low], [asks, "ask", high]]) {
    const shown = inside(levels);
    const path = new Path2D();
    path.moveTo(x(shown[0].price), bottom);
    let sum = 0;
    for (const level of shown) {
      path.lineTo(x(level.price), y(sum));
      path.lineTo(x(level.price), y(level.sum));
      sum = level.sum;
    }
    const end = shown.length === levels.length ? shown.at(-1).price : edge;
    path.lineTo(x(end), y(sum));
    const area = new Path2D(path);
    area.lineTo(x(end), bottom);
    area.closePath();
    context.fillStyle = colour[name + "bar"];
    context.fill(area);
    context.strokeStyle = colour[name];
    context.lineWidth = 1.6;
    context.stroke(path);
  }
  for (const [side, name] of [[last.bids, "bid"], [last.asks, "ask"]]) shadeUnproven(context, colour, side, name, { x, left, right, top, bottom });
  context.strokeStyle = colour.dim;
  context.setLineDash([3, 3]);
  line(context, x(mid), top, x(mid), bottom);
  context.setLineDash([]);
  showTip({ bids, asks, mid, x, y, low, high, left, right, context, colour, top, bottom });
}

function line(context, x1, y1, x2, y2) {
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(x1, y1);
  context.lineTo(x2, y2);
  context.stroke();
}

function axes(context, colour, p) {
  context.font = "11px system-ui, sans-serif";
  context.fillStyle = colour.dim;
  context.strokeStyle = colour.line;
  context.textBaseline = "middle";
  for (const share of [0.25, 0.5, 0.75, 1]) {
    const at = p.y((p.most / 1.06) * share);
    line(context, p.left, at, p.right, at);
    context.fillText(short((p.most / 1.06) * share), p.right + 6, at);
  }
  context.textBaseline = "alphabetic";
  context.textAlign = "center";
  const step = niceStep((p.high - p.low) / Math.max((p.right - p.left) / 95, 1));
  const decimals = Math.max(0, Math.min(-Math.floor(Math.log10(step) + 1e-9), 10));
  for (let price = Math.ceil(p.low / step) * step; price < p.high; price += step) {
    const at = p.x(price);
    if (at < p.left + 26 || at > p.right - 22) continue;
    line(context, at, p.bottom, at, p.bottom + 4);
    context.fillText(price.toFixed(decimals), at, p.bottom + 15);
  }
  line(context, p.left, p.bottom, p.right, p.bottom);
  context.textAlign = "left";
}

/** The smallest 1, 2 or 5 times a power of ten that is not below the number. */
export function niceStep(least) {
  const power = 10 ** Math.floor(Math.log10(least));
  return power * ([1, 2, 5].find((factor) => factor * power >= least) ?? 10);
}

/** Hatches the area beyond the proven range, where nothing is known, so that it does not look empty. */
function shadeUnproven(context, colour, side, name, p) {
  const end = side.isWholeSide ? null : side.provenTo ?? side.levels.at(-1)?.[0];
  if (end == null) return;
  const at = Math.min(Math.max(p.x(Number(end)), p.left), p.right);
  const [from, to] = name === "bid" ? [p.left, at] : [at, p.right];
  if (to - from < 2) return;
  context.save();
  context.beginPath();
  context.rect(from, p.top, to - from, p.bottom - p.top);
  context.clip();
  context.strokeStyle = colour.dim;
  context.globalAlpha = 0.55;
  for (let at = from - (p.bottom - p.top); at < to; at += 7) line(context, at, p.bottom, at + p.bottom - p.top, p.top);
  context.restore();
}

function showTip(p) {
  tip.hidden = pointer == null || pointer < p.left || pointer > p.right;
  if (tip.hidden) return;
  const price = p.low + ((pointer - p.left) / (p.right - p.left)) * (p.high - p.low);
  const isBid = price < p.mid;
  const levels = isBid ? p.bids : p.asks;
  const sum = levels.filter((level) => (isBid ? level.price >= price : level.price <= price)).at(-1);
  p.context.strokeStyle = p.colour.text;
  line(p.context, pointer, p.top, pointer, p.bottom);
  const away = ((price / p.mid - 1) * 1e4).toFixed(1);
  put(tip, `${price.toPrecision(8)}  ${away} bp\n${isBid ? "bids" : "asks"} ${short(sum?.sum ?? 0)} = ${short(sum?.notional ?? 0)}`);
  const toLeft = pointer > (p.left + p.right) / 2;
  tip.style.transform = `translate(${toLeft ? pointer - tip.offsetWidth - 10 : pointer + 10}px, ${p.top + 4}px)`;
}

export function start() {
  canvas.addEventListener("pointermove", (event) => { pointer = event.offsetX; drawDepth(); });
  canvas.addEventListener("pointerleave", () => { pointer = null; drawDepth(); });
  new ResizeObserver(() => last && draw(last)).observe(document.getElementById("panes"));
}
