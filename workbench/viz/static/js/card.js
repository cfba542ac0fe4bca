// Everything about one node: op, types, the user's line, its rewrites, its value, its time, its code.

import { button, exact, h, num, plural, time } from "./dom.js";
import { heatmap, histogram } from "./charts.js";
import { isFused, titled } from "./paint.js";
import { STATES } from "./theme.js";

/** @param {{pick: (key) => void, open?: (key) => void, opened?: boolean, valueFirst?: boolean}} acts */
export function nodeCard(store, key, side, theme, acts) {
  const { data } = store;
  const info = data.info(key, side);
  if (!info)
    return h(
      "div.wb-hint",
      {},
      "Choose a node to see what it is, where you wrote it and what became of it.",
    );
  const value = valuePart(store, key, side, theme);
  return h(
    "section.wb-card",
    { ariaLabel: `node ${info.l || info.o}` },
    heading(data, key, side, info),
    acts.valueFirst && value,
    detail(info),
    rows(info),
    places(info),
    ports(data, key, side, acts),
    past(data, key, side, acts),
    rewrites(store, key),
    refusals(data, key),
    !acts.valueFirst && value,
    timePart(data, key),
    inside(key, info, acts),
    codePart(store, key, info),
  );
}

function heading(data, key, side, info) {
  const state = data.change[side][key];
  const badge = state && h(`span.wb-badge.wb-is-${state}`, {}, `${STATES[state]} ${state}`);
  return h("header", {}, h("h3", {}, titled(info)), badge, h("span.wb-id", {}, `#${key}`));
}

/** The op with its parameters; of a fused op what it computes, an expression per output. */
function detail(info) {
  if (!info.d && !isFused(info)) return null;
  if (!isFused(info)) return h("div.wb-detail", {}, info.d);
  const lines = (info.d || info.l).split("\n");
  const name = (i) => info.n?.[i] || (lines.length > 1 ? `out ${i}` : "");
  return part(
    "Computes",
    lines.map((text, i) =>
      h("div.wb-place", {}, name(i) && h("span", {}, name(i)), h("code", {}, text)),
    ),
  );
}

function rows(info) {
  const pairs = [
    ["op", info.o],
    ["kind", info.k === "apply" ? "" : info.k],
    ["device", info.v],
    ["scope", info.g],
  ];
  const types = (info.t || []).map((type, i) => [
    info.t.length > 1 ? `out ${i}` : "type",
    [type, info.n?.[i]].filter(Boolean).join("  "),
  ]);
  return h(
    "dl.wb-facts",
    {},
    ...[...pairs, ...types]
      .filter(([, text]) => text)
      .flatMap(([name, text]) => [h("dt", {}, name), h("dd", {}, text)]),
  );
}

function places(info) {
  if (!info.p) return null;
  return part(
    "Written in",
    info.p.map(([file, line, text]) =>
      h("div.wb-place", {}, h("span", {}, `${file}:${line}`), text ? h("code", {}, text) : null),
    ),
  );
}

function ports(data, key, side, acts) {
  const path = key
    .split("/")
    .slice(0, -1)
    .map((id) => id + "/")
    .join("");
  const flat = data.inputs(key, side);
  const links = [];
  for (let i = 0; i < flat.length; i += 2) links.push(link(data, path + flat[i], side, acts));
  return links.length ? part("Reads", h("div.wb-links", {}, ...links)) : null;
}

function past(data, key, side, acts) {
  if (key.includes("/")) return null;
  const other = side === "after" ? "before" : "after";
  const ids = (side === "after" ? data.origins[key] : data.fates[key]) || [];
  if (!ids.length) return null;
  return part(
    side === "after" ? "Came from" : "Became",
    h("div.wb-links", {}, ...ids.map((id) => link(data, `${id}`, other, acts))),
  );
}

function link(data, key, side, acts) {
  const info = data.info(key, side);
  return h(
    "button.wb-link",
    { type: "button", onclick: () => acts.pick(key) },
    info?.l || info?.o || `#${key}`,
  );
}

function rewrites(store, key) {
  const { data } = store;
  const steps = key.includes("/") ? [] : data.chain(key);
  if (!steps.length) return null;
  const jump = (i) => () => store.set({ step: i + 1, tab: "rewrites" });
  return part(
    plural(steps.length, "rewrite"),
    h(
      "ol.wb-chain",
      {},
      ...steps.slice(-12).map((i) => {
        const step = data.steps[i];
        return h(
          "li",
          {},
          h(
            "button.wb-link",
            { type: "button", onclick: jump(i), title: step.eq || step.why },
            step.rule,
          ),
          h("span", {}, ` ${step.phase}, step ${i + 1}`),
        );
      }),
    ),
  );
}

function refusals(data, key) {
  const found = data.refused.filter(([, , node]) => `${node}` === key);
  if (!found.length) return null;
  return part(
    "Refused",
    found.map(([phase, rule, , reason]) =>
      h("div.wb-place", {}, h("b", {}, rule), h("span", {}, ` ${phase}: ${reason}`)),
    ),
  );
}

function valuePart(store, key, side, theme) {
  const value = store.data.value(key, side);
  if (!value && store.data.notRun(key, side))
    return part("Value", h("div.wb-counts", {}, "not run: the other branch was taken"));
  if (value?.[1] === "random state") return null;
  return value ? part("Value", valueCard(value), slicePart(store, key, side, value, theme)) : null;
}

/** A summary as numbers and a histogram. */
export function valueCard(value) {
  const [shape, dtype, low, high, mean, std, nans, infs, zeros, counts, sample] = value;
  const bad = (count, name) => count > 0 && h("span.wb-alarm", {}, `${plural(count, name)}`);
  const facts = shape.length
    ? [
        ["min", low],
        ["mean", mean],
        ["max", high],
        ["std", std],
      ].filter(([, x]) => x !== null)
    : [["value", sample[0] ?? mean]];
  const told = shape.length ? num : exact;
  return h(
    "div.wb-value",
    {},
    h(
      "div.wb-numbers",
      {},
      ...facts.map(([name, x]) => h("div", {}, h("span", {}, name), h("b", {}, told(x)))),
    ),
    h(
      "div.wb-counts",
      {},
      `${dtype} ${shape.length ? shape.join(" × ") : "scalar"}`,
      bad(nans, "nan"),
      bad(infs, "inf"),
      zeros > 0 && h("span", {}, plural(zeros, "zero")),
    ),
    counts.length > 1 && high > low ? histogram(counts, low, high) : null,
    shape.length && sample.length
      ? h(
          "code.wb-sample",
          {},
          sample.slice(0, 8).map(num).join("  "),
          sample.length > 8 ? " …" : "",
        )
      : null,
  );
}

function slicePart(store, key, side, value, theme) {
  if (!store.data.live || !value[0].length) return null;
  const place = h("div");
  const show = async () => {
    place.replaceChildren("…");
    const answer = await store.ask({
      kind: "slice",
      node: key,
      index: store.data.mainOutput(key, side),
      side,
    });
    const rows = answer?.data && (Array.isArray(answer.data[0]) ? answer.data : [answer.data]);
    place.replaceChildren(
      rows
        ? heatmap(rows, theme, answer.note || "slice")
        : answer?.error || "The kernel did not answer.",
    );
  };
  return h("div", {}, button("Show the tensor", "Fetch a slice of the tensor", show), place);
}

function timePart(data, key) {
  const row = data.times.get(key);
  if (!row) return null;
  const total = data.profile.seconds || 1;
  return part(
    "Time",
    h(
      "div.wb-counts",
      {},
      `${time(row[5])} a call, ± ${time(row[6] / 2)}`,
      h("span", {}, `${((100 * row[5] * row[3]) / total).toFixed(1)}% of the run`),
      row[10] !== "native" && h("span", {}, row[10]),
    ),
  );
}

function inside(key, info, acts) {
  if (info.x === undefined || !acts.open) return null;
  return h(
    "div",
    {},
    button(
      acts.opened ? "Close the inside" : "Open the inside",
      "Show or hide the inner graph",
      () => acts.open(key),
    ),
  );
}

function codePart(store, key, info) {
  if (!store.data.live || info.k !== "apply") return null;
  const place = h("div");
  const show = async () => {
    place.replaceChildren("…");
    const answer = await store.ask({ kind: "code", node: key });
    const parts = answer?.parts || (answer?.code ? [["", answer.code]] : []);
    if (!parts.length)
      return place.replaceChildren(answer?.error || "There is no generated code for this node.");
    return place.replaceChildren(
      ...parts.map(([name, text]) =>
        h(
          "details",
          { open: parts.length === 1 },
          h("summary", {}, name || "code"),
          h("pre.wb-code", {}, text),
        ),
      ),
    );
  };
  return h("div", {}, button("Generated code", "Fetch the generated code", show), place);
}

export function part(title, ...children) {
  return h("div.wb-part", {}, h("h4", {}, title), ...children);
}
