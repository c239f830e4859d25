// The page's data and how it arrives: tops and state changes as events, rows in turn, the selected book four
// times a second. `now` is the time of the last arrival; the page says so if nothing arrives.

export const feed = {
  market: "", books: new Map(), order: [], changes: [], contactMs: 0, isLoaded: false,
  selected: null, book: null, analytics: null, parts: {},
  /** Symbols whose rows are visible; they are requested first. */
  visible: () => [],
  onRows: () => {}, onBook: () => {}, onAnalytics: () => {}, onParts: () => {}, onChange: () => {}, onRefusal: () => {},
};

const changesMax = 200;
const sliceCount = 120;

// A server that requires tokens is opened with one: /?token=…
const token = new URLSearchParams(location.search).get("token");

export async function get(path) {
  const headers = token ? { Authorization: "Bearer " + token } : {};
  const response = await fetch(path, { headers, cache: "no-store", signal: AbortSignal.timeout(4000) });
  if (response.status === 401) feed.onRefusal();
  if (!response.ok) throw new Error(path + " " + response.status);
  const body = await response.json();
  feed.contactMs = Date.now();
  return body;
}

function takeRow(row) {
  const known = feed.books.get(row.symbol);
  if (known) {
    // An event's top may be newer than the row's; a row without a top means that there is none.
    const isOlder = row.isServed && known.isServed && row.lastUpdateId < known.lastUpdateId;
    const { bid, ask, lastUpdateId } = known;
    Object.assign(known, row, isOlder ? { bid, ask, lastUpdateId } : { bid: row.bids.best, ask: row.asks.best });
  } else {
    feed.books.set(row.symbol, { ...row, bid: row.bids.best, ask: row.asks.best });
    feed.order.push(row.symbol);
  }
}

function listen() {
  const events = new EventSource("/v1/stream?intervalMs=250" + (token ? "&token=" + encodeURIComponent(token) : ""));
  events.addEventListener("top", (event) => {
    feed.contactMs = Date.now();
    const top = JSON.parse(event.data);
    const book = feed.books.get(top.symbol);
    if (book) Object.assign(book, top);
    feed.onRows();
  });
  // The browser retries a broken connection by itself, but not a refused one.
  events.addEventListener("error", () => {
    if (events.readyState !== EventSource.CLOSED) return;
    events.close();
    setTimeout(listen, 2000);
  });
  events.addEventListener("state", (event) => {
    const change = JSON.parse(event.data);
    feed.changes.unshift(change);
    feed.changes.length = Math.min(feed.changes.length, changesMax);
    const book = feed.books.get(change.symbol);
    if (book) Object.assign(book, { state: change.state, reason: change.reason });
    feed.onRows();
    feed.onChange(change);
  });
}

/** Repeats an action with pauses, whether it succeeds or not. */
async function forever(pauseMs, action) {
  for (;;) {
    const pause = typeof pauseMs === "function" ? pauseMs() : pauseMs;
    try { await action(); } catch { /* No news: the age of the last ones says so. */ }
    await new Promise((done) => setTimeout(done, document.hidden ? Math.max(pause, 2000) : pause));
  }
}

let turn = 0;
async function rows() {
  if (!feed.isLoaded) {
    const all = await get("/v1/books");
    feed.market = all.market;
    for (const row of all.books) takeRow(row);
    feed.isLoaded = true;
    listen();
    feed.onRows();
    return;
  }
  const wanted = new Set(feed.visible());
  if (feed.selected) wanted.add(feed.selected);
  for (let i = 0; i < sliceCount && i < feed.order.length; i++) wanted.add(feed.order[turn++ % feed.order.length]);
  const some = await get("/v1/books?symbols=" + [...wanted].slice(0, 250).map(encodeURIComponent).join(","));
  for (const row of some.books) takeRow(row);
  feed.onRows();
}

async function book() {
  const symbol = feed.selected;
  if (!symbol) return;
  const body = await get("/v1/books/" + encodeURIComponent(symbol) + "?limit=250");
  if (symbol !== feed.selected) return;
  feed.book = body;
  const row = feed.books.get(symbol);
  if (row) Object.assign(row, { state: body.state, reason: body.reason, isServed: body.isServed });
  feed.onBook(body);
}

async function analytics() {
  const symbol = feed.selected;
  if (!symbol) return;
  const body = await get("/v1/books/" + encodeURIComponent(symbol) + "/analytics?levels=10&basisPoints=10");
  if (symbol !== feed.selected) return;
  feed.analytics = body;
  feed.onAnalytics(body);
}

async function parts() {
  const [buffers, planner, connections, latency] = await Promise.all(
    ["/v1/buffers", "/v1/planner", "/v1/connections", "/v1/latency"].map((path) => get(path).catch(() => null)));
  feed.parts = { buffers, planner, connections, latency };
  feed.onParts(feed.parts);
}

/** Selects a symbol. */
export function select(symbol) {
  feed.selected = symbol;
  feed.book = feed.analytics = null;
  const ignore = () => {};
  book().catch(ignore);
  analytics().catch(ignore);
}

export function start() {
  forever(() => (feed.isLoaded ? 1000 : 300), rows);
  forever(250, book);
  forever(1000, analytics);
  forever(2000, parts);
}
