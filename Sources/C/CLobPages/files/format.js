// Numbers as text. Decimals arrive and are shown as strings; floats serve only for drawing and ratios.

/** Number of decimals after which all of these texts have only zeros. */
export function decimalsOf(texts) {
  let most = 0;
  for (const text of texts) {
    const point = text.indexOf(".");
    if (point < 0) continue;
    let end = text.length;
    while (end > point + 1 && text[end - 1] === "0") end--;
    most = Math.max(most, end - point - 1);
  }
  return most;
}

/** A decimal text with this many decimals; those cut off are zeros. */
export function cut(text, decimals) {
  if (text == null) return "–";
  const point = text.indexOf(".");
  if (point < 0) return text;
  return decimals === 0 ? text.slice(0, point) : text.slice(0, point + 1 + decimals);
}

/** A decimal text without trailing zeros. */
export function trimmed(text) {
  return text == null ? "–" : cut(text, decimalsOf([text]));
}

/** A number with four or five digits and k, M or G. */
export function short(value) {
  if (value == null || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  for (const [unit, mark] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]]) {
    if (size >= 10 * unit || (size >= unit && unit > 1e3)) return fixed(value / unit) + mark;
  }
  return fixed(value);
}

function fixed(value) {
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size >= 1000) return value.toFixed(0);
  if (size >= 100) return value.toFixed(1);
  if (size >= 10) return value.toFixed(2);
  if (size >= 1) return value.toFixed(3);
  return size >= 1e-4 ? value.toPrecision(3) : value.toExponential(1);
}

/** A duration given in microseconds. */
export function span(us) {
  if (us == null) return "–";
  if (us < 1000) return us.toFixed(0) + " µs";
  if (us < 1e6) return (us / 1e3).toFixed(us < 1e5 ? 1 : 0) + " ms";
  if (us < 6e7) return (us / 1e6).toFixed(1) + " s";
  return (us / 6e7).toFixed(0) + " min";
}

/** A count with thin spaces between thousands. */
export function count(value) {
  return value == null ? "–" : String(value).replace(/\B(?=(\d{3})+$)/g, " ");
}

export function bytes(value) {
  if (value == null) return "–";
  if (value < 1e4) return value + " B";
  return value < 1e7 ? (value / 1e3).toFixed(0) + " kB" : (value / 1e6).toFixed(1) + " MB";
}

/** The spread in hundredths of a percent of the mid price. */
export function basisPoints(bid, ask) {
  if (!bid || !ask) return null;
  const [b, a] = [Number(bid.price), Number(ask.price)];
  return a + b > 0 ? (2e4 * (a - b)) / (a + b) : null;
}

export const marks = { live: "●", stale: "▲", syncing: "◌" };

/** A reason in words. */
export const reasons = {
  gap: "an update was lost", disconnected: "the connection ended", crossed: "bid at or above ask",
  mismatch: "the venue's best prices differ", rescale: "the venue prints other decimals",
  behind: "the venue is ahead", shallow: "the best price is not known", unreadable: "a message could not be read",
  dropped: "a message found no room", audit: "a snapshot differs", lagging: "updates come too late",
  silent: "the connection has fallen silent", backlog: "this server is behind its feed",
};

/** Sets a text only if it has changed; most have not. */
export function put(node, text) {
  if (node.firstChild) {
    if (node.firstChild.data !== text) node.firstChild.data = text;
  } else {
    node.append(text);
  }
}

export function make(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text != null) node.append(text);
  return node;
}
