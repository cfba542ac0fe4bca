// What one rewrite was: the rule, its equation, what went and what came, as expressions.

import { button, h, plural, time } from "./dom.js";
import { part } from "./card.js";

const INFIX = { add: " + ", sub: " - ", mul: " · ", true_div: " / ", pow: " ** ", neg: "-" };

/** The card of step number `count`; `tab` has the data, the replay and the store. */
export function ruleCard(tab, count, step) {
  if (!step)
    return h(
      "div.wb-hint",
      {},
      "The graph as you wrote it. Step forward to see each rewrite that the compiler made.",
    );
  return h(
    "section.wb-card",
    {},
    h("header", {}, h("h3", {}, step.rule), h("span.wb-id", {}, time(step.s))),
    ...(step.eq ? equations(step.eq) : []),
    step.why && h("p.wb-why", {}, step.why),
    h(
      "dl.wb-facts",
      {},
      h("dt", {}, "pass"),
      h("dd", {}, step.phase),
      ...(step.src ? [h("dt", {}, "rule"), h("dd.wb-path", { title: step.src }, tail(step.src))] : []),
    ),
    step.body ? body(tab, step) : diff(tab, count, step),
  );
}

/** The last two parts of a path. */
const tail = (path) => path.split("/").slice(-2).join("/");

/** The rewrites of a loop's body, where the step is that the body was optimised. */
function body(tab, step) {
  const rows = step.body.map(([phase, rule, eq]) =>
    h("li", { title: eq }, rule, h("span", {}, ` ${phase}`)),
  );
  const enter =
    step.within &&
    button("Step through them", "Step through the rewrites of the loop's body", () =>
      tab.openBody(step.within),
    );
  const title = `${plural(step.body.length, "rewrite")} inside`;
  return part(title, h("ol.wb-chain", {}, ...rows), enter);
}

/** What went and what came. */
function diff(tab, count, step) {
  const { data, drawn, replay, store } = tab;
  if (!drawn) return part("Change", ids(data, "−", step.rm), ids(data, "+", step.ad));
  const before = replay.at(count - 1),
    after = replay.at(count);
  const row = (sign, state, graph, id) =>
    h(
      `div.wb-is-${state}`,
      { onclick: () => store.set({ selected: String(id) }) },
      h("b", {}, sign),
      " ",
      spell(data, graph, id, 5),
    );
  const pairs = step.re || [];
  const rows = pairs.flatMap(([old, , now]) => [
    row("−", "removed", before, old),
    row("+", "added", after, now),
  ]);
  const rest = (step.rm || []).filter((id) => !pairs.some(([old]) => old === id));
  const gone = rest.length
    ? h("div.wb-gone", {}, `also gone: ${rest.map((id) => name(data, id)).join(", ")}`)
    : null;
  return part("Change", h("div.wb-diff", {}, ...rows), gone);
}

/** The expression that a node stands for, in the words of its labels. */
function spell(data, graph, id, depth, bare = true) {
  const flat = graph.inputs.get(id) || [];
  const called = name(data, id);
  if (!flat.length) return called;
  if (!graph.boxes.has(id)) return spell(data, graph, flat[0], depth, bare); // folded: a reshaped constant
  if (!depth) return "…";
  const infix = INFIX[called],
    parts = [];
  for (let i = 0; i < flat.length; i += 2)
    parts.push(spell(data, graph, flat[i], depth - 1, !infix));
  if (!infix) return `${called}(${parts.join(", ")})`;
  if (parts.length === 1) return `-${parts[0]}`;
  return bare ? parts.join(infix) : `(${parts.join(infix)})`;
}

function ids(data, sign, list = []) {
  return h(
    "div.wb-diff",
    {},
    ...list.slice(0, 40).map((id) => h("div", {}, `${sign} ${name(data, id)}`)),
  );
}

function name(data, id) {
  return data.nodes[id]?.l || data.nodes[id]?.o || `#${id}`;
}

/** Equations (two spaces or a semicolon part them), each with its two sides set apart. */
function equations(text) {
  return text.split(/,?\s{2,}|;\s*|\n/).map((one) => {
    const [left, right] = one.split("→");
    if (right === undefined) return h("div.wb-equation", {}, h("code", {}, one));
    const sides = [
      h("code.wb-is-removed", {}, left.trim()),
      h("code.wb-is-added", {}, right.trim()),
    ];
    return h("div.wb-equation", {}, sides[0], h("span.wb-arrow", {}, "→"), sides[1]);
  });
}
