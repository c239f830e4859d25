// The small panels below the book: reasons for trust, latencies, buffers, the snapshot plan, news.
import { feed } from "/page/feed.js";
import { bytes, count, make, marks, put, span } from "/page/format.js";

/** Fills a description list, reusing its rows. */
function facts(list, entries) {
  if (list.children.length !== entries.length * 2) {
    list.replaceChildren(...entries.flatMap(([title]) => [make("dt", "", title), make("dd", "", "–")]));
  }
  entries.forEach(([title, text, isBad], index) => {
    put(list.children[index * 2], title);
    const value = list.children[index * 2 + 1];
    put(value, text);
    value.className = isBad ? "bad" : "";
  });
}

export function drawTrust() {
  const row = feed.books.get(feed.selected);
  if (!row) return;
  const { counters } = row;
  const compared = (of) => count(of.agreed) + " of " + count(of.compared);
  const differs = (of) => of.agreed < of.compared;
  const side = (side, name) => (side.complete ? "whole side" : side.provenTo ? `${side.provenLevels} to ${Number(side.provenTo)}` : "–");
  facts(document.querySelector("#trust dl"), [
    ["Update id", count(row.lastUpdateId)],
    ["Bids proven", side(row.bids)],
    ["Asks proven", side(row.asks)],
    ["Audits agreed", compared(counters.audits), differs(counters.audits)],
    ["Best prices agreed", compared(counters.bookTicker), differs(counters.bookTicker)],
    ["Partial depths agreed", compared(counters.partialDepth), differs(counters.partialDepth)],
    ["Updates applied", count(counters.events.applied)],
    ["Gaps mended", count(counters.events.gaps)],
    ["Trust lost", count(counters.resyncs)],
    ["Lag", span(row.lagUs)],
  ]);
}

function gauge(buffer) {
  const node = make("div", "gauge");
  const line = make("p");
  line.append(make("span", "", buffer.name), make("span", "", amount(buffer)));
  node.append(line);
  if (buffer.capacity) {
    const track = make("div", "track");
    const level = make("i");
    level.style.transform = `scaleX(${Math.min(buffer.occupancy / buffer.capacity, 1)})`;
    track.append(level);
    if (buffer.highWater != null) {
      const most = make("u");
      most.style.left = Math.min((100 * buffer.highWater) / buffer.capacity, 99) + "%";
      most.title = "most so far";
      track.append(most);
    }
    node.append(track);
  }
  return node;
}

function amount(buffer) {
  const unit = (value) => (buffer.unit === "bytes" ? bytes(value) : count(value) + " " + buffer.unit);
  let text = unit(buffer.occupancy);
  if (buffer.capacity) text += " of " + unit(buffer.capacity);
  if (buffer.highWater != null) text += ", most " + unit(buffer.highWater);
  if (buffer.drops) text += ", lost " + count(buffer.drops);
  return text;
}

export function drawParts({ buffers, planner, connections, latency }) {
  if (buffers) document.querySelector("#buffers .body").replaceChildren(...buffers.buffers.map(gauge));
  if (planner && connections) drawPlanner(planner, connections);
  if (latency) drawLatency(latency);
}

function drawPlanner(planner, connections) {
  const list = document.querySelector("#planner .body");
  const queued = Object.entries(planner.queued).filter(([, number]) => number > 0).map(([name, number]) => `${number} ${name}`);
  const eta = planner.etaMs ? span(Math.max(planner.etaMs - Date.now(), 0) * 1000) : "nothing is wanted";
  const states = connections.venue.map((shard) => shard.state);
  facts(list, [
    ["Snapshots queued", queued.join(", ") || "none"],
    ["All there in", eta],
    ["Waits for", planner.waitsFor ?? "nothing"],
    ["Weight this minute", planner.weight.spent + " of " + planner.weight.max],
    ["Asked, refused, failed", [planner.requests, planner.refusals, planner.failures].join(", ")],
    ["Venue", [...new Set(states)].join(", ") + (states.length > 1 ? ` × ${states.length}` : ""), states.some((state) => state !== "connected" && state !== "replacing")],
    ["Dialled, lost", connections.venue.reduce((all, shard) => all + shard.dials, 0) + ", " + connections.venue.reduce((all, shard) => all + shard.losses, 0)],
    ["Clients, streams", connections.clients.webSockets + connections.clients.eventStreams + ", " + count(connections.clients.streams)],
  ]);
}

function drawLatency(latency) {
  const table = make("table", "plain");
  const head = make("tr");
  for (const title of ["Stage", "p50", "p90", "p99", "max"]) head.append(make("th", "", title));
  table.append(head);
  for (const stage of latency.stages) {
    const row = make("tr");
    row.append(make("td", "", stage.title));
    for (const key of ["p50Us", "p90Us", "p99Us", "maxUs"]) row.append(make("td", "", span(stage[key])));
    table.append(row);
  }
  document.querySelector("#latency .body").replaceChildren(table);
}

export function drawEvents() {
  const list = document.querySelector("#events .body");
  const items = feed.changes.slice(0, 40).map((change) => {
    const item = make("li");
    const time = make("time", "", new Date(change.timeMs).toTimeString().slice(0, 8));
    item.append(time, make("span", "", change.symbol), make("span", "s " + change.state, marks[change.state] + " " + (change.reason ?? change.state)));
    return item;
  });
  list.replaceChildren(...(items.length ? items : [make("li", "", "none since the page was opened")]));
}
