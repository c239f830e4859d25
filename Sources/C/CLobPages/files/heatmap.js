// The book over the last minutes: price upwards, time to the right, quantity as brightness; bids blue, asks
// amber. The lines are the best prices; dots mark where a best level was removed. Unknown areas are hatched:
// beyond the proven range, and while the book was not live.
import { colours, niceStep, prepare } from "/page/book.js";
import { make, put, short } from "/page/format.js";

const canvas = document.getElementById("heatcanvas");
const tip = document.getElementById("heattip");
const keptMs = 10 * 60_000;
const keptSymbols = 4;
const columnsMax = 2600;
const histories = new Map();
let history = null;
let spanMs = 180_000;
let shownMs = spanMs;
let zoom = 1;
let view = { center: 0, half: 0 };
let pointer = null;
let image = null;
let drawn = null;

/** Switches to the history of a symbol. */
export function choose(symbol) {
  history = histories.get(symbol) ?? { symbol, columns: [], tick: Infinity };
  histories.delete(symbol);
  histories.set(symbol, history);
  while (histories.size > keptSymbols) histories.delete(histories.keys().next().value);
  view = { center: 0, half: 0 };
  draw();
}

function side(levels) {
  const [prices, quantities] = [new Float64Array(levels.length), new Float32Array(levels.length)];
  levels.forEach(([price, quantity], index) => {
    prices[index] = Number(price);
    quantities[index] = Number(quantity);
  });
  return { prices, quantities };
}

/** Adds the current book. */
export function add(body) {
  if (!history || history.symbol !== body.symbol) choose(body.symbol);
  const columns = history.columns;
  const isLive = body.state === "live" && body.isServed && body.bids.levels && body.asks.levels;
  const column = { at: Date.now(), isLive, bids: null, asks: null, bidEnd: -Infinity, askEnd: Infinity, taken: 0 };
  if (isLive) {
    [column.bids, column.asks] = [side(body.bids.levels), side(body.asks.levels)];
    const end = (list, from) => (list.isWholeSide ? null : Number(list.provenTo && list.levels.length < 250 ? list.provenTo : list.levels.at(-1)?.[0] ?? from));
    column.bidEnd = end(body.bids, 0) ?? -Infinity;
    column.askEnd = end(body.asks, 0) ?? Infinity;
    for (const prices of [column.bids.prices, column.asks.prices]) {
      for (let i = 1; i < Math.min(prices.length, 30); i++) history.tick = Math.min(history.tick, Math.abs(prices[i] - prices[i - 1]));
    }
    const before = columns.at(-1);
    if (before?.isLive) {
      if (column.asks.prices[0] > before.asks.prices[0]) column.taken |= 1;
      if (column.bids.prices[0] < before.bids.prices[0]) column.taken |= 2;
    }
  }
  columns.push(column);
  while (columns.length > columnsMax || columns[0].at < column.at - keptMs) columns.shift();
}

export function setZoom(factor) {
  zoom = Math.min(Math.max(zoom * factor, 0.1), 8);
  view.half = 0;
  draw();
}

/** The prices shown: the path of the best prices and some levels around it. They change only when the path leaves
 * the picture or becomes small in it, so that the picture stays still. */
function fit(columns) {
  const newest = columns.findLast(isWhole);
  if (!newest) return false;
  const mid = (newest.bids.prices[0] + newest.asks.prices[0]) / 2;
  let [low, high] = [Infinity, -Infinity];
  for (const column of columns) {
    if (!isWhole(column)) continue;
    low = Math.min(low, column.bids.prices[0]);
    high = Math.max(high, column.asks.prices[0]);
  }
  const reach = (prices) => Math.abs(prices[Math.min(30, prices.length - 1)] - mid);
  const around = Math.max((reach(newest.bids.prices) + reach(newest.asks.prices)) / 2, mid * 1e-6);
  const half = Math.max((high - low) / 2 + around * 0.35, around) / zoom;
  const center = zoom > 1.01 ? mid : (low + high) / 2;
  const isOutside = zoom > 1.01 ? Math.abs(mid - view.center) > view.half * 0.7 : low < view.center - view.half || high > view.center + view.half;
  if (!view.half || isOutside || view.half > half * 1.6) view = { center, half: half * 1.12 };
  return true;
}

function isWhole(column) { return column.isLive && column.bids.prices.length > 0 && column.asks.prices.length > 0; }

const stops = {
  dark: { bid: ["#111820", "#12324c", "#1f6ea8", "#56b7f5", "#c9ecff", "#ffffff"], ask: ["#111820", "#3d2708", "#9a5c0c", "#f0a030", "#ffe0a6", "#ffffff"], gap: [70, 84, 98], none: [17, 24, 32] },
  light: { bid: ["#ffffff", "#dbeafa", "#8fc0ec", "#2f7fc6", "#0b4a86", "#031d38"], ask: ["#ffffff", "#fdebd2", "#f5bd78", "#cf7413", "#853f00", "#331800"], gap: [168, 180, 192], none: [255, 255, 255] },
};

function ramp(list) {
  const table = new Uint32Array(256);
  const parts = list.map((hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)));
  for (let i = 0; i < 256; i++) {
    const place = (i / 255) * (parts.length - 1);
    const low = Math.min(Math.floor(place), parts.length - 2);
    const [r, g, b] = [0, 1, 2].map((c) => Math.round(parts[low][c] + (parts[low + 1][c] - parts[low][c]) * (place - low)));
    table[i] = (255 << 24) | (b << 16) | (g << 8) | r;
  }
  return table;
}
const ramps = {};
for (const theme of ["dark", "light"]) {
  const packed = ([r, g, b]) => ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
  ramps[theme] = { bid: ramp(stops[theme].bid), ask: ramp(stops[theme].ask), gap: packed(stops[theme].gap), none: packed(stops[theme].none) };
}

function theme() {
  const set = document.documentElement.dataset.theme;
  return set || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
}

/** Quantities that count as small and large among all visible, so that one huge level does not dim the rest. */
function contrast(columns, low, high) {
  const sample = [];
  for (let c = columns.length - 1; c >= 0; c -= Math.max(Math.floor(columns.length / 24), 1)) {
    if (!columns[c].isLive) continue;
    for (const { prices, quantities } of [columns[c].bids, columns[c].asks]) {
      for (let i = 0; i < prices.length; i++) if (prices[i] >= low && prices[i] <= high) sample.push(quantities[i]);
    }
  }
  sample.sort((a, b) => a - b);
  const little = sample[Math.floor(sample.length * 0.35)] || 1e-9;
  return { little, much: Math.max(sample[Math.floor(sample.length * 0.985)] || 1, little * 4) };
}

export function draw() {
  const place = prepare(canvas);
  if (!place) return;
  const { context, width, height } = place;
  const colour = colours();
  const plot = { width: Math.max(Math.floor(width - 66), 10), height: Math.max(Math.floor(height - 22), 10) };
  const now = Date.now();
  shownMs = Math.min(spanMs, Math.max(now - (history?.columns[0]?.at ?? now), 15_000));
  const columns = history?.columns.filter((column) => column.at > now - shownMs - 2000) ?? [];
  context.font = "12px system-ui, sans-serif";
  context.fillStyle = colour.dim;
  if (!columns.length || !fit(columns)) {
    context.fillText("The picture begins with the first live book.", 12, 24);
    return;
  }
  const [low, high] = [view.center - view.half, view.center + view.half];
  drawn = { columns, now, low, high, plot };
  paint(context, place.ratio, columns, now, low, high, plot);
  touch(context, colour, columns, now, low, high, plot);
  axes(context, colour, now, low, high, plot, width);
  showTip(context, colour);
}

function paint(context, ratio, columns, now, low, high, plot) {
  const { width, height } = plot;
  if (!image || image.width !== width || image.height !== height) image = new ImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  const table = ramps[theme()];
  const scale = contrast(columns, low, high);
  const range = Math.log1p(scale.much / scale.little);
  const perPrice = height / (high - low);
  const thick = Math.max(Number.isFinite(history.tick) ? history.tick * perPrice : 1, 2);
  const sums = [new Float32Array(height), new Float32Array(height)];
  pixels.fill(table.none);
  let at = -1;
  let filled = -2;
  for (let x = 0; x < width; x++) {
    const time = now - ((width - 1 - x) / width) * shownMs;
    while (at + 1 < columns.length && columns[at + 1].at <= time) at++;
    if (at < 0) continue;
    const column = columns[at];
    const isMissing = !column.isLive || time - column.at > 4000;
    if (isMissing) {
      for (let y = 0; y < height; y++) if ((x + y) % 7 === 0) pixels[y * width + x] = table.gap;
      continue;
    }
    if (filled !== at) {
      fill(sums[0], column.bids, high, perPrice, thick, height);
      fill(sums[1], column.asks, high, perPrice, thick, height);
      filled = at;
    }
    const bidEnd = Math.min((high - column.bidEnd) * perPrice + thick / 2, height);
    const askEnd = Math.max((high - column.askEnd) * perPrice - thick / 2, 0);
    for (let y = 0; y < height; y++) {
      const [b, a] = [sums[0][y], sums[1][y]];
      if (b === 0 && a === 0) {
        if ((y > bidEnd || y < askEnd) && (x + y) % 7 === 0) pixels[y * width + x] = table.gap;
        continue;
      }
      const share = Math.min(Math.log1p(Math.max(a, b) / scale.little) / range, 1);
      pixels[y * width + x] = (b > a ? table.bid : table.ask)[Math.round(18 + share * 237)];
    }
  }
  const buffer = paint.buffer ??= document.createElement("canvas");
  if (buffer.width !== width || buffer.height !== height) [buffer.width, buffer.height] = [width, height];
  buffer.getContext("2d").putImageData(image, 0, 0);
  context.imageSmoothingEnabled = false;
  context.drawImage(buffer, 0, 0, width, height);
}

/** Adds the quantities of a side to their rows of pixels. */
function fill(rows, { prices, quantities }, high, perPrice, thick, height) {
  rows.fill(0);
  for (let i = 0; i < prices.length; i++) {
    const middle = (high - prices[i]) * perPrice;
    const first = Math.max(Math.round(middle - thick / 2), 0);
    const end = Math.min(Math.max(Math.round(middle + thick / 2), first + 1), height);
    for (let y = first; y < end; y++) rows[y] += quantities[i];
  }
}

function touch(context, colour, columns, now, low, high, plot) {
  const x = (at) => plot.width - ((now - at) / shownMs) * plot.width;
  const y = (price) => ((high - price) / (high - low)) * plot.height;
  context.save();
  context.beginPath();
  context.rect(0, 0, plot.width, plot.height);
  context.clip();
  for (const [name, key] of [["ask", "asks"], ["bid", "bids"]]) {
    const path = new Path2D();
    let before = null;
    for (const column of columns) {
      const price = column.isLive ? column[key].prices[0] : undefined;
      if (price === undefined) { before = null; continue; }
      if (before === null) path.moveTo(x(column.at), y(price));
      else { path.lineTo(x(column.at), y(before)); path.lineTo(x(column.at), y(price)); }
      before = price;
    }
    if (before !== null) path.lineTo(plot.width, y(before));
    context.lineJoin = "round";
    context.strokeStyle = colour.pane;
    context.lineWidth = 4;
    context.stroke(path);
    context.strokeStyle = colour[name];
    context.lineWidth = 1.8;
    context.stroke(path);
  }
  for (let i = 1; i < columns.length; i++) {
    const [before, column] = [columns[i - 1], columns[i]];
    if (!column.taken || !before.isLive) continue;
    for (const [bit, key, name] of [[1, "asks", "ask"], [2, "bids", "bid"]]) {
      if (!(column.taken & bit)) continue;
      context.fillStyle = colour[name];
      context.strokeStyle = colour.pane;
      context.lineWidth = 1;
      context.beginPath();
      context.arc(x(column.at), y(before[key].prices[0]), 2.6, 0, 7);
      context.fill();
      context.stroke();
    }
  }
  context.restore();
}

function axes(context, colour, now, low, high, plot, width) {
  context.font = "11px system-ui, sans-serif";
  context.strokeStyle = colour.line;
  context.fillStyle = colour.dim;
  context.lineWidth = 1;
  context.strokeRect(0.5, -1, plot.width, plot.height + 1);
  const step = niceStep((high - low) / Math.max(plot.height / 34, 2));
  const decimals = Math.max(0, Math.min(-Math.floor(Math.log10(step) + 1e-9), 10));
  context.textBaseline = "middle";
  for (let price = Math.ceil(low / step) * step; price < high; price += step) {
    const y = ((high - price) / (high - low)) * plot.height;
    if (y < 8 || y > plot.height - 6) continue;
    context.fillText(price.toFixed(decimals), plot.width + 6, y, width - plot.width - 8);
  }
  context.textBaseline = "alphabetic";
  context.textAlign = "center";
  const stepMs = [5, 10, 15, 30, 60, 120, 300].map((s) => s * 1000).find((ms) => (plot.width * ms) / shownMs > 64) ?? 600_000;
  for (let ago = 0; ago < shownMs * 0.97; ago += stepMs) {
    const x = plot.width - (ago / shownMs) * plot.width;
    const text = ago === 0 ? "now" : ago % 60_000 === 0 ? `−${ago / 60_000} min` : `−${ago / 1000} s`;
    context.fillText(text, Math.min(x, plot.width - 14), plot.height + 16);
  }
  context.textAlign = "left";
}

function showTip(context, colour) {
  const isInside = pointer && drawn && pointer.x < drawn.plot.width && pointer.y < drawn.plot.height;
  tip.hidden = !isInside;
  if (!isInside) return;
  const { columns, now, low, high, plot } = drawn;
  const time = now - ((plot.width - pointer.x) / plot.width) * shownMs;
  const column = columns.findLast((column) => column.at <= time);
  const price = high - (pointer.y / plot.height) * (high - low);
  context.strokeStyle = colour.text;
  context.lineWidth = 1;
  context.setLineDash([2, 3]);
  context.beginPath();
  context.moveTo(0, pointer.y);
  context.lineTo(plot.width, pointer.y);
  context.moveTo(pointer.x, 0);
  context.lineTo(pointer.x, plot.height);
  context.stroke();
  context.setLineDash([]);
  const near = Math.max(history.tick || 0, (high - low) / plot.height);
  const sum = (side) => side.prices.reduce((all, p, i) => all + (Math.abs(p - price) <= near / 2 ? side.quantities[i] : 0), 0);
  const held = column?.isLive ? sum(column.bids) + sum(column.asks) : null;
  const text = column ? (column.isLive ? `quantity ${short(held)}` : "not live") : "";
  put(tip, `${price.toPrecision(8)}   −${((now - time) / 1000).toFixed(0)} s\n${text}`);
  const toLeft = pointer.x > plot.width / 2;
  tip.style.transform = `translate(${toLeft ? pointer.x - tip.offsetWidth - 12 : pointer.x + 12}px, ${Math.min(pointer.y + 10, plot.height - 44)}px)`;
}

/** Facts about the picture, for tests. */
export function facts() {
  return { symbol: history?.symbol, columns: history?.columns.length ?? 0, shownMs, low: drawn?.low, high: drawn?.high };
}

export function start() {
  const spans = document.getElementById("spans");
  for (const [text, ms] of [["1 min", 60_000], ["3 min", 180_000], ["10 min", 600_000]]) {
    const button = make("button", "", text);
    button.type = "button";
    button.setAttribute("aria-pressed", String(ms === spanMs));
    button.addEventListener("click", () => {
      spanMs = ms;
      view.half = 0;
      for (const other of spans.children) other.setAttribute("aria-pressed", String(other === button));
      draw();
    });
    spans.append(button);
  }
  document.getElementById("zoomin").addEventListener("click", () => setZoom(1.5));
  document.getElementById("zoomout").addEventListener("click", () => setZoom(1 / 1.5));
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    setZoom(event.deltaY < 0 ? 1.2 : 1 / 1.2);
  }, { passive: false });
  canvas.addEventListener("pointermove", (event) => { pointer = { x: event.offsetX, y: event.offsetY }; draw(); });
  canvas.addEventListener("pointerleave", () => { pointer = null; draw(); });
}
