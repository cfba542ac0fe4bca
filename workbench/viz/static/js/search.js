// The search box's small language: `op:dot dtype:float64 time:>1ms` and plain words, all of which must hold.

import { time } from "./dom.js";

const UNITS = { ns: 1e-9, us: 1e-6, µs: 1e-6, ms: 1e-3, s: 1 };
export const SEARCH_HELP =
  "op:dot  dtype:float64  shape:3  name:p_1  kind:shared  state:fused  line:7  time:>1ms  nan:>0";

/** A test for nodes: (key, side) → boolean; null for an empty query. */
export function parseQuery(text, data) {
  const terms = text
    .trim()
    .toLowerCase()
    .split(/\s+/)
    .filter(Boolean)
    .map((word) => term(word, data));
  return terms.length ? (key, side) => terms.every((holds) => holds(key, side)) : null;
}

function term(word, data) {
  if (word[0] === "-" && word.length > 1) {
    const holds = term(word.slice(1), data);
    return (key, side) => !holds(key, side);
  }
  const colon = word.indexOf(":");
  const field = FIELDS[word.slice(0, colon)];
  const wanted = word.slice(colon + 1);
  if (colon > 0 && field) return (key, side) => matches(field(data, key, side), wanted);
  return (key, side) => everything(data, key, side).includes(word);
}

const FIELDS = {
  op: (data, key, side) => words(data.info(key, side), (info) => `${info.o} ${info.l}`),
  dtype: (data, key, side) =>
    words(data.info(key, side), (info) => info.t?.map((type) => type.split("[")[0]).join(" ")),
  shape: (data, key, side) =>
    words(data.info(key, side), (info) =>
      info.t?.map((type) => type.slice(type.indexOf("["))).join(" "),
    ),
  name: (data, key, side) =>
    words(data.info(key, side), (info) =>
      [...(info.n || []), info.k === "apply" ? "" : info.l].join(" "),
    ),
  kind: (data, key, side) => words(data.info(key, side), (info) => info.k),
  device: (data, key, side) => words(data.info(key, side), (info) => info.v || "cpu"),
  state: (data, key, side) => data.change[side][key] || "kept",
  line: (data, key, side) =>
    words(data.info(key, side), (info) => info.p?.map((place) => place[1]).join(" ")),
  id: (data, key) => String(key),
  time: (data, key) => data.seconds(key) ?? null,
  nan: (data, key, side) => data.value(key, side)?.[6] ?? null,
  inf: (data, key, side) => data.value(key, side)?.[7] ?? null,
};

const words = (info, read) => ((info && read(info)) || "").toLowerCase();

function everything(data, key, side) {
  return words(data.info(key, side), (info) =>
    [
      info.l,
      info.o,
      info.d,
      info.g,
      ...(info.t || []),
      ...(info.n || []),
      ...(info.p || []).map((p) => p[2]),
      `#${key}`,
    ].join(" "),
  );
}

/** A text contains what is wanted; a number is compared: `>1ms`, `<=3`, `0`. */
function matches(value, wanted) {
  if (typeof value === "string") return value.includes(wanted);
  const found = wanted.match(/^([<>]=?|=)?([\d.e+-]+)([a-zµ]*)$/);
  if (!found || value === null) return false;
  const bound = Number(found[2]) * (UNITS[found[3]] || 1);
  const sign = found[1] || "=";
  if (sign[0] === ">") return sign === ">=" ? value >= bound : value > bound;
  if (sign[0] === "<") return sign === "<=" ? value <= bound : value < bound;
  return value === bound;
}

/** One line that names a node for a list and for readers of the screen. */
export function describe(data, key, side) {
  const info = data.info(key, side);
  if (!info) return `node ${key}`;
  const state = data.change[side][key];
  const seconds = data.seconds(key);
  return [info.l || info.o, info.t?.[0], info.n?.find(Boolean), state, seconds ? time(seconds) : ""]
    .filter(Boolean)
    .join(", ");
}
