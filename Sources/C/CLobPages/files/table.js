// The table of all books. Only visible rows exist: fifty nodes, whatever the number of symbols.
import { feed } from "/page/feed.js";
import { basisPoints, make, marks, put, short, span } from "/page/format.js";

const weight = { stale: 0, syncing: 1, live: 2 };
const columns = [
  { title: "Symbol", key: (b) => b.symbol, text: (b) => b.symbol },
  { title: "State", key: (b) => weight[b.state] + (b.reason ?? ""), text: (b) => marks[b.state] + " " + (b.reason ?? b.state) },
  { title: "Spread bp", key: (b) => basisPoints(b.bid, b.ask) ?? -1, text: (b) => short(basisPoints(b.bid, b.ask)) },
  { title: "Lag", key: (b) => b.lagUs ?? -1, text: (b) => span(b.lagUs) },
  { title: "Upd/s", key: (b) => Number(b.updatesPerSecond ?? -1), text: (b) => b.updatesPerSecond ?? "–" },
  { title: "Proven", key: (b) => Math.min(b.bids.provenLevels ?? -1, b.asks.provenLevels ?? -1), text: (b) => (b.isServed ? proven(b.bids) + "/" + proven(b.asks) : "–"), className: "q" },
  { title: "Audits", key: (b) => b.counters.audits.compared, text: (b) => b.counters.audits.agreed + "/" + b.counters.audits.compared, className: "q" },
];

function proven(side) { return (side.provenLevels ?? "–") + (side.complete ? "∎" : ""); }

const grid = document.getElementById("grid");
const list = document.getElementById("rows");
const space = document.getElementById("space");
const head = document.getElementById("head");
const none = document.getElementById("none");
let [sortColumn, isDown] = [1, false];
let filter = "";
let shown = [];
let pool = [];
let isDue = false;
let choose = () => {};

function rowHeight() { return parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--row")) || 30; }

/** Sorts and filters; symbols that need attention come first unless another column is selected. */
function arrange() {
  const key = columns[sortColumn].key;
  const wanted = filter.toUpperCase();
  shown = feed.order.filter((symbol) => symbol.includes(wanted));
  const keys = new Map(shown.map((symbol) => [symbol, key(feed.books.get(symbol))]));
  shown.sort((a, b) => {
    const [x, y] = [keys.get(a), keys.get(b)];
    const order = x < y ? -1 : x > y ? 1 : 0;
    return (isDown ? -order : order) || (a < b ? -1 : 1);
  });
}

export function draw() {
  isDue = false;
  const height = rowHeight();
  arrange();
  none.hidden = shown.length > 0 || !feed.isLoaded;
  space.style.height = shown.length * height + "px";
  grid.setAttribute("aria-rowcount", String(shown.length + 1));
  const first = Math.max(Math.floor(list.scrollTop / height) - 3, 0);
  const last = Math.min(first + Math.ceil(list.clientHeight / height) + 7, shown.length);
  while (pool.length < last - first) pool.push(newRow());
  pool.forEach((row, place) => {
    const index = first + place;
    row.node.hidden = index >= last;
    if (index < last) fill(row, feed.books.get(shown[index]), index, height);
  });
}

function newRow() {
  const node = make("div", "r");
  node.setAttribute("role", "row");
  const cells = columns.map((column) => {
    const cell = make("span", column.className);
    cell.setAttribute("role", "gridcell");
    node.append(cell);
    return cell;
  });
  space.append(node);
  return { node, cells };
}

function fill(row, book, index, height) {
  const { node, cells } = row;
  node.dataset.symbol = book.symbol;
  const isOn = book.symbol === feed.selected;
  const className = "r " + book.state + (isOn ? " on" : "");
  if (node.className !== className) node.className = className;
  node.style.transform = `translateY(${index * height}px)`;
  node.setAttribute("aria-rowindex", String(index + 2));
  node.setAttribute("aria-selected", String(isOn));
  columns.forEach((column, place) => put(cells[place], column.text(book)));
  const state = "s " + book.state;
  if (cells[1].className !== state) cells[1].className = state;
}

/** Draws with the next frame, once however often it is called. */
export function schedule() {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(draw);
}

export function setFilter(text) {
  filter = text.trim();
  list.scrollTop = 0;
  schedule();
}

/** Visible symbols. */
export function visibleSymbols() {
  return pool.filter((row) => !row.node.hidden).map((row) => row.node.dataset.symbol);
}

/** The symbol this many rows further, or the one at the end. */
export function step(rows) {
  if (shown.length === 0) return null;
  const at = shown.indexOf(feed.selected);
  return shown[Math.min(Math.max(at + rows, 0), shown.length - 1)];
}

export function pageRows() { return Math.max(Math.floor(list.clientHeight / rowHeight()) - 1, 1); }

/** Scrolls as little as needed to show the selected row. */
export function reveal() {
  const [height, at] = [rowHeight(), shown.indexOf(feed.selected)];
  if (at < 0) return;
  if (at * height < list.scrollTop) list.scrollTop = at * height;
  const bottom = (at + 1) * height - list.clientHeight;
  if (bottom > list.scrollTop) list.scrollTop = bottom;
  schedule();
}

export function start(onChoose) {
  choose = onChoose;
  columns.forEach((column, index) => {
    const button = make("button", "", column.title);
    button.type = "button";
    button.addEventListener("click", () => {
      [sortColumn, isDown] = [index, sortColumn === index ? !isDown : index > 1];
      showSort();
      schedule();
    });
    const cell = make("div");
    cell.setAttribute("role", "columnheader");
    cell.append(button);
    head.append(cell);
  });
  showSort();
  list.addEventListener("scroll", schedule, { passive: true });
  list.addEventListener("click", (event) => {
    const row = event.target.closest(".r");
    if (row) choose(row.dataset.symbol, true);
  });
  new ResizeObserver(schedule).observe(list);
}

function showSort() {
  [...head.children].forEach((cell, index) => {
    const isSorted = index === sortColumn;
    cell.setAttribute("aria-sort", isSorted ? (isDown ? "descending" : "ascending") : "none");
    put(cell.firstChild, columns[index].title + (isSorted ? (isDown ? " ↓" : " ↑") : ""));
  });
}
