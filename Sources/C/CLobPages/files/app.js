// The page: selection, keys, themes, and the alarm when updates stop.
import { feed, select, start as startFeed } from "/page/feed.js";
import * as table from "/page/table.js";
import * as book from "/page/book.js";
import * as heatmap from "/page/heatmap.js";
import * as panels from "/page/panels.js";
import { count, make, marks, put } from "/page/format.js";

const element = (id) => document.getElementById(id);
const silenceMs = 2500;

function choose(symbol, isOpened) {
  if (!symbol || !feed.books.has(symbol)) return;
  if (symbol !== feed.selected) {
    select(symbol);
    history.replaceState(null, "", location.search + "#" + encodeURIComponent(symbol));
    document.title = symbol + " · Local Order Book";
    put(element("name"), symbol);
    book.draw(null);
    heatmap.choose(symbol);
  }
  if (isOpened) document.body.dataset.view = "book";
  table.reveal();
  panels.drawTrust();
}

/** The symbol in the page's address; empty if it cannot be decoded. */
function askedSymbol() {
  try { return decodeURIComponent(location.hash.slice(1)); } catch { return ""; }
}

function back() {
  document.body.dataset.view = "table";
  element("rows").focus();
  table.schedule();
}

function counts() {
  const numbers = { live: 0, stale: 0, syncing: 0 };
  for (const row of feed.books.values()) numbers[row.state]++;
  const badges = element("counts");
  if (!badges.children.length) for (const state of Object.keys(numbers)) badges.append(make("span"));
  Object.entries(numbers).forEach(([state, number], index) => {
    badges.children[index].className = "badge " + state + (number ? "" : " none");
    put(badges.children[index], `${marks[state]} ${count(number)} ${state}`);
  });
  put(element("market"), feed.market);
}

function checkContact() {
  const age = Date.now() - feed.contactMs;
  const isLost = feed.contactMs > 0 && age > silenceMs;
  const alarm = element("alarm");
  if (feed.contactMs > 0) alarm.hidden = !isLost;
  if (isLost) {
    put(alarm, `STALE: no contact with the server for ${Math.round(age / 1000)} s. Nothing on this page is current.`);
    element("book").className = "lost";
    for (const stamp of document.querySelectorAll(".stamp")) [stamp.dataset.word, stamp.dataset.why] = ["STALE", "no contact with the server"];
  }
  put(element("contact"), feed.contactMs ? (isLost ? "no contact" : "in contact") : "connecting");
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  try { localStorage.setItem("theme", theme); } catch { /* Not kept, then. */ }
  if (feed.book) book.draw(feed.book);
  heatmap.draw();
}

function turnTheme() {
  const isDark = (document.documentElement.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  setTheme(isDark ? "light" : "dark");
}

const keys = {
  ArrowDown: () => choose(table.step(1)), ArrowUp: () => choose(table.step(-1)),
  PageDown: () => choose(table.step(table.pageRows())), PageUp: () => choose(table.step(-table.pageRows())),
  Home: () => choose(table.step(-Infinity)), End: () => choose(table.step(Infinity)),
  Enter: () => choose(feed.selected, true), Escape: back, "/": () => element("filter").focus(),
  t: turnTheme, T: turnTheme, "+": () => heatmap.setZoom(1.5), "-": () => heatmap.setZoom(1 / 1.5),
  "?": () => element("help").showModal(),
};

function listen() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || element("help").open) return;
    if (event.target === element("filter")) {
      if (event.key === "Escape") { event.target.value = ""; table.setFilter(""); }
      if (event.key === "Enter" || event.key === "ArrowDown") choose(table.step(0) ?? table.step(1));
      if (["Escape", "Enter", "ArrowDown"].includes(event.key)) { element("rows").focus(); event.preventDefault(); }
      return;
    }
    const action = keys[event.key];
    if (!action || (event.key === "Enter" && event.target.closest("button"))) return;
    event.preventDefault();
    action();
  });
  element("filter").addEventListener("input", (event) => table.setFilter(event.target.value));
  element("theme").addEventListener("click", turnTheme);
  element("keys").addEventListener("click", () => element("help").showModal());
  element("back").addEventListener("click", back);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { if (feed.book) book.draw(feed.book); heatmap.draw(); });
}

function begin() {
  let theme = null;
  try { theme = localStorage.getItem("theme"); } catch { /* The system's, then. */ }
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  table.start(choose);
  book.start();
  heatmap.start();
  panels.drawEvents();
  listen();
  feed.visible = table.visibleSymbols;
  feed.onRows = () => {
    table.schedule();
    counts();
    if (!feed.selected && feed.isLoaded && feed.order.length) {
      const asked = askedSymbol();
      choose(feed.books.has(asked) ? asked : feed.order[0], feed.books.has(asked) && innerWidth <= 1100);
    }
    panels.drawTrust();
  };
  feed.onBook = (body) => {
    book.draw(body);
    heatmap.add(body);
    heatmap.draw();
  };
  feed.onAnalytics = book.drawFacts;
  feed.onParts = panels.drawParts;
  feed.onChange = panels.drawEvents;
  feed.onRefusal = () => {
    element("alarm").hidden = false;
    put(element("alarm"), "The server asks for a token: open this page as /?token=…");
  };
  setInterval(checkContact, 250);
  window.lob = { feed, heatmap: heatmap.facts };
  startFeed();
}

begin();
