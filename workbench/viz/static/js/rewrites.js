// The Rewrites tab: every rewrite in order under its pass, the graph at that moment, and what the rule says.

import { button, fill, h, icon, plural, time } from "./dom.js";
import { Data, Store } from "./model.js";
import { Replay } from "./replay.js";
import { ruleCard } from "./rule.js";
import { stepView } from "./scene.js";
import { Stage } from "./stage.js";

const PLAY_EVERY = 900;

export class RewritesTab {
  /** With `leave`, the tab shows a loop's body within another such tab. */
  constructor(store, theme, leave = null) {
    Object.assign(this, { store, theme, leave, data: store.data });
    this.drawn = this.data.flat !== null && this.data.flat !== undefined;
    this.replay = this.drawn && new Replay(this.data);
    this.stage = new Stage(theme, {
      label: "Graph at the chosen rewrite",
      look: (box) => this.look(box),
      lineLook: (line) => this.lineLook(line),
      pick: (key) => store.set({ selected: key }),
      hover: (key) => store.set({ hover: key }),
    });
    this.items = new Map();
    this.rule = h("div.wb-cardbox");
    this.steps = h("div.wb-steps", { role: "listbox", ariaLabel: "Rewrites" });
    this.steps.addEventListener("keydown", (event) => this.key(event));
    this.element = h(
      "div.wb-tab",
      {},
      this.toolbar(),
      h(
        "div.wb-body",
        {},
        h("aside.wb-side.wb-left", {}, this.filter(), this.steps),
        h("div.wb-panes", {}, this.stage.element),
        h("aside.wb-side", {}, this.rule),
      ),
    );
    this.fillSteps();
    this.go(store.state.step, true);
  }

  toolbar() {
    const { length } = this.data.steps;
    this.slider = h("input.wb-slider", {
      type: "range",
      min: 0,
      max: length,
      ariaLabel: "Rewrite",
      oninput: () => this.store.set({ step: +this.slider.value }),
    });
    this.where = h("output.wb-where", { role: "status" });
    const by = (n) => () =>
      this.store.set({ step: Math.min(length, Math.max(0, this.store.state.step + n)) });
    this.play = button(icon("play"), "Play", () => this.toggle());
    return h(
      "div.wb-bar",
      {},
      this.leave && button(`← ${this.data.title}`, "Back to the rewrites of the graph", this.leave),
      button(icon("first"), "First", () => this.store.set({ step: 0 })),
      button(icon("back"), "Previous rewrite", by(-1)),
      this.play,
      button(icon("next"), "Next rewrite", by(1)),
      button(icon("last"), "Last", () => this.store.set({ step: length })),
      this.slider,
      this.where,
    );
  }

  filter() {
    this.search = h("input.wb-search", {
      type: "search",
      placeholder: "Search rules",
      ariaLabel: "Search rules",
      oninput: () => this.fillSteps(),
    });
    return this.search;
  }

  // ---- the list

  fillSteps() {
    const words = this.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const holds = (step) =>
      words.every((word) =>
        [step.phase, step.rule, step.eq, step.why, step.src].join(" ").toLowerCase().includes(word),
      );
    this.items.clear();
    const rows = [this.option(0, null)],
      idle = [];
    for (const [phase, numbers] of this.phases()) {
      const kept = numbers.filter((i) => holds(this.data.steps[i]));
      if (!numbers.length) idle.push(phase);
      if (kept.length)
        rows.push(
          this.heading(phase, kept.length),
          ...kept.map((i) => this.option(i + 1, this.data.steps[i])),
        );
    }
    if (idle.length && !words.length)
      rows.push(h("div.wb-idle", {}, `Nothing to do: ${idle.join(", ")}`));
    fill(this.steps, rows, this.refusals(holds));
    this.mark();
  }

  /** Steps by pass, in order; passes without steps have none. */
  phases() {
    const runs = [];
    this.data.steps.forEach((step, i) => {
      if (runs.at(-1)?.[0] !== step.phase) runs.push([step.phase, []]);
      runs.at(-1)[1].push(i);
    });
    const met = new Set(runs.map(([phase]) => phase));
    return [
      ...runs,
      ...this.data.passes.filter(([phase]) => !met.has(phase)).map(([phase]) => [phase, []]),
    ];
  }

  heading(phase, count) {
    const pass = this.data.passes.find(([name]) => name === phase);
    return h(
      "div.wb-phase",
      { role: "presentation" },
      h("b", {}, phase),
      h("span", {}, plural(count, "step")),
      pass && h("span", {}, time(pass[3])),
    );
  }

  option(count, step) {
    const option = h(
      "div.wb-option",
      {
        role: "option",
        tabIndex: -1,
        ariaSelected: "false",
        onclick: () => this.store.set({ step: count }),
      },
      h("span.wb-number", {}, String(count)),
      h("span.wb-name", {}, step ? step.rule : "as written"),
      h("span.wb-type", {}, step ? time(step.s) : ""),
    );
    option.dataset.step = count;
    this.items.set(count, option);
    return option;
  }

  refusals(holds) {
    const found = this.data.refused.filter(([phase, rule, , reason]) =>
      holds({ phase, rule, why: reason }),
    );
    if (!found.length) return null;
    return h(
      "details.wb-refused",
      {},
      h("summary", {}, plural(found.length, "refused rewrite")),
      ...found.map(([phase, rule, node, reason]) =>
        h(
          "div.wb-refusal",
          {},
          h("b", {}, rule),
          h("span", {}, ` ${phase}, at `),
          h(
            "button.wb-link",
            {
              type: "button",
              onclick: () => this.store.set({ selected: String(node), tab: "graph" }),
            },
            this.data.info(String(node), "before")?.l || `#${node}`,
          ),
          h("div", {}, reason),
        ),
      ),
    );
  }

  key(event) {
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!move) return;
    const step = Math.min(this.data.steps.length, Math.max(0, this.store.state.step + move));
    this.store.set({ step });
    this.items.get(step)?.focus();
    event.preventDefault();
  }

  mark() {
    const option = this.items.get(this.store.state.step);
    for (const [one, chosen] of [
      [this.marked, false],
      [option, true],
    ]) {
      one?.setAttribute("aria-selected", String(chosen));
      if (one) one.tabIndex = chosen ? 0 : -1;
    }
    this.marked = option;
    if (!this.element?.hidden) option?.scrollIntoView({ block: "nearest" });
  }

  // ---- the graph

  look(box) {
    const { selected } = this.store.state;
    const state = this.fresh.has(box.id)
      ? this.fused(box)
        ? "fused"
        : "added"
      : this.rewired.has(box.id)
        ? "changed"
        : "";
    return { state, chosen: box.key === selected };
  }

  fused(box) {
    return box.info.x !== undefined && !/scan/i.test(box.info.o);
  }

  lineLook(line) {
    const { selected, hover } = this.store.state;
    const touches = (key) => key && (line.from === key || line.to === key);
    return { strong: touches(selected) || touches(hover) || this.fresh.has(+line.to) };
  }

  go(count, reset = false) {
    const step = this.data.steps[count - 1];
    this.fresh = new Set(step?.ad || []);
    this.rewired = new Set(step?.ch || []);
    if (this.drawn) this.showGraph(count, step, reset);
    else
      fill(
        this.stage.caption,
        `A graph of ${plural(this.data.sizes[0], "node")} is not drawn here; the change is told at the right.`,
      );
    this.slider.value = count;
    this.where.textContent = `${count} / ${this.data.steps.length}`;
    fill(this.rule, ruleCard(this, count, step));
    this.mark();
  }

  showGraph(count, step, reset) {
    const view = stepView(this.data, this.replay, count);
    const key = String(step?.ad?.[0] ?? step?.re?.[0]?.[2] ?? "");
    this.stage.home = key;
    this.stage.show(view, { animate: !reset, reset });
    fill(
      this.stage.caption,
      h("b", {}, step ? `After ${step.rule}` : "As written"),
      ` ${plural(view.boxes.length, "node")} drawn`,
      ...view.hidden.map((note) => ` · ${note}`),
    );
    if (!reset && key) this.stage.reveal(key);
  }

  // ---- a loop's body

  /** Step through the rewrites inside a loop, in the place of this tab's. */
  openBody(payload) {
    this.stop();
    const still = { get: () => undefined, set() {}, on() {}, off() {}, save_changes() {} };
    const store = new Store(still, new Data(payload));
    this.body = new RewritesTab(store, this.theme, () => this.closeBody());
    store.on((state, changed) => this.body.update(state, changed));
    for (const one of this.element.children) one.hidden = true;
    this.body.element.className = "wb-tab wb-within";
    this.element.append(this.body.element);
    this.body.slider.focus();
  }

  closeBody() {
    this.body.element.remove();
    this.body.dispose();
    this.body = null;
    for (const one of this.element.children) one.hidden = false;
  }

  // ---- playing

  toggle() {
    if (this.timer) return this.stop();
    if (this.store.state.step >= this.data.steps.length) this.store.set({ step: 0 });
    fill(this.play, icon("pause"));
    this.timer = setInterval(() => {
      const step = this.store.state.step + 1;
      if (step > this.data.steps.length) return this.stop();
      return this.store.set({ step });
    }, PLAY_EVERY);
    return undefined;
  }

  stop() {
    clearInterval(this.timer);
    this.timer = null;
    fill(this.play, icon("play"));
  }

  update(state, changed) {
    if (changed.has("step")) this.go(state.step);
    if (changed.has("selected") && state.selected) {
      this.stage.cursor = state.selected;
      this.stage.reveal(state.selected);
    }
    if (changed.has("tab")) this.mark();
    if (changed.has("theme")) this.body?.update(this.body.store.state, changed);
    this.stage.draw();
  }

  dispose() {
    this.stop();
    this.body?.dispose();
    this.stage.dispose();
  }
}
