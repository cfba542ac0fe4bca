// The Scan tab: the inner graph of a loop, with every variable's value at one iteration.

import { button, fill, h, icon, num, plural } from "./dom.js";
import { heatmap, series } from "./charts.js";
import { part, valueCard } from "./card.js";
import { mainOutput } from "./model.js";
import { titled } from "./paint.js";
import { sceneView } from "./scene.js";
import { Stage } from "./stage.js";
import { roleTint } from "./theme.js";

const PLAY_EVERY = 160;
const ROLES = {
  sequence: "sequence",
  recurrent: "recurrent",
  non_sequence: "non-sequence",
  shared: "shared",
  output: "output",
};

export class ScanTab {
  constructor(store, theme) {
    Object.assign(this, { store, theme, data: store.data, chosen: 0, variable: "" });
    this.element = h("div.wb-tab");
    if (!this.data.traces.length) {
      fill(
        this.element,
        h("div.wb-hint", {}, "No loop was traced: the graph has no scan, or no values were given."),
      );
      return;
    }
    this.stage = new Stage(theme, {
      least: 0.9,
      label: "Inner graph of the loop",
      look: (box) => this.look(box),
      lineLook: (line) => ({ strong: this.touches(line) }),
      pick: (key) => this.pick(key),
    });
    this.side = h("div.wb-cardbox");
    fill(
      this.element,
      this.toolbar(),
      h(
        "div.wb-body",
        {},
        h("div.wb-panes", {}, this.stage.element),
        h("aside.wb-side.wb-wide", {}, this.side),
      ),
    );
    this.choose(0);
  }

  get trace() {
    return this.data.traces[this.chosen];
  }

  toolbar() {
    const { traces } = this.data;
    this.which = h(
      "select.wb-select",
      { ariaLabel: "Loop", onchange: () => this.choose(this.which.selectedIndex) },
      ...traces.map((trace) => h("option", {}, `${trace.name} (${plural(trace.n, "step")})`)),
    );
    this.slider = h("input.wb-slider", {
      type: "range",
      min: 0,
      ariaLabel: "Iteration",
      oninput: () => this.store.set({ iteration: +this.slider.value }),
    });
    this.where = h("output.wb-where", { role: "status" });
    this.play = button(icon("play"), "Play the iterations", () => this.toggle());
    this.bad = button(
      "First nan or inf",
      "Jump to the first iteration with nan or inf",
      () => this.jump(),
      ".wb-danger",
    );
    const by = (n) => () =>
      this.store.set({ iteration: this.clamp(this.store.state.iteration + n) });
    return h(
      "div.wb-bar",
      {},
      this.which,
      button(icon("back"), "Previous iteration", by(-1)),
      this.play,
      button(icon("next"), "Next iteration", by(1)),
      this.slider,
      this.where,
      this.bad,
      this.legend(),
    );
  }

  legend() {
    const met = new Set(
      this.data.traces.flatMap((trace) =>
        Object.values(this.data.scenes[trace.scene].role).map((role) => this.role(role)),
      ),
    );
    return h(
      "div.wb-legend",
      {},
      ...Object.entries(ROLES)
        .filter(([role]) => met.has(role))
        .map(([role, text]) => h("span", {}, h(`i.wb-mark.wb-role-${role}`), text)),
    );
  }

  role(text) {
    return text.startsWith("out ") ? "output" : text;
  }

  clamp(t) {
    return Math.max(0, Math.min(this.trace.n - 1, t));
  }

  choose(index) {
    this.chosen = index;
    const { trace } = this;
    Object.values(trace.cols).forEach(spread);
    this.slider.max = Math.max(0, trace.n - 1);
    this.firstBad = this.findBad();
    this.bad.hidden = !this.firstBad;
    const scene = this.data.scenes[trace.scene];
    const outputs = Object.keys(scene.role).filter((id) => scene.role[id].startsWith("out"));
    const wanted = outputs.find((id) => scene.role[id] !== "out shared") ?? outputs[0];
    const port = this.portOf(wanted);
    this.variable = trace.cols[port] ? port : Object.keys(trace.cols)[0] || "";
    const view = sceneView(
      { ...this.data, scenes: this.data.scenes, info: (id) => scene.nodes[id] },
      trace.scene,
      "after",
    );
    this.stage.show(view, { reset: true });
    fill(
      this.stage.caption,
      h("b", {}, trace.name),
      ` ${plural(trace.n, "iteration")}`,
      ...[...view.hidden, trace.dropped].filter(Boolean).map((note) => ` · ${note}`),
    );
    this.go(this.clamp(this.store.state.iteration));
  }

  /** The first iteration at which some variable has nan or inf, and the first such variable in graph order. */
  findBad() {
    let found = null;
    for (const [port, column] of Object.entries(this.trace.cols)) {
      const t = [...Array(this.trace.n).keys()].find((i) => column.nans?.[i] || column.infs?.[i]);
      if (t !== undefined && (!found || t < found.t)) found = { t, port };
    }
    return found;
  }

  jump() {
    this.variable = this.firstBad.port;
    this.store.set({ iteration: this.firstBad.t });
    this.go(this.firstBad.t);
    this.stage.reveal(this.variable.split(":")[0]);
  }

  pick(key) {
    if (!key || !this.trace.cols[this.portOf(key)]) return;
    this.variable = this.portOf(key);
    this.stage.cursor = key;
    this.store.set({ selected: `${this.trace.node}/${key}` });
    this.go(this.store.state.iteration);
  }

  /** The port of an inner node that is told: its first output that is not a random state. */
  portOf(id) {
    const types = this.data.scenes[this.trace.scene].nodes[id]?.t || [];
    return `${id}:${mainOutput(types)}`;
  }

  touches(line) {
    const key = this.variable.split(":")[0];
    return line.from === key || line.to === key;
  }

  look(box) {
    const column = this.trace.cols[this.portOf(box.key)];
    const t = this.clamp(this.store.state.iteration);
    const bad = column && (column.nans?.[t] || column.infs?.[t]);
    return {
      tint: bad ? this.theme.states.removed : roleTint(box, this.theme),
      state: "",
      chosen: this.portOf(box.key) === this.variable,
      pale: box.info.k === "apply" && !ranAt(column, t),
      note: column ? noteAt(column, t) : box.info.k === "apply" ? "not run" : undefined,
    };
  }

  go(t) {
    this.slider.value = t;
    this.where.textContent = `t = ${t} of ${this.trace.n}`;
    fill(this.side, this.variableCard(t));
    this.stage.draw();
  }

  variableCard(t) {
    const column = this.trace.cols[this.variable];
    if (!column) return h("div.wb-hint", {}, "Choose a variable to see it over all iterations.");
    const [id] = this.variable.split(":");
    const scene = this.data.scenes[this.trace.scene],
      info = scene.nodes[id];
    const jump = (at) => this.store.set({ iteration: this.clamp(at) });
    const at = [
      column.shape,
      column.dtype,
      column.min[t],
      column.max[t],
      column.mean[t],
      null,
      column.nans?.[t] || 0,
      column.infs?.[t] || 0,
      0,
      [],
      column.x?.[t] || [],
    ];
    return h(
      "section.wb-card",
      {},
      h(
        "header",
        {},
        h("h3", {}, info ? titled(info) : this.variable),
        scene.role[id] &&
          h(
            `span.wb-badge.wb-role-${this.role(scene.role[id])}`,
            {},
            scene.role[id].replace("_", "-"),
          ),
      ),
      part(`At t = ${t}`, ranAt(column, t) ? valueCard(at) : "not run: another branch was taken"),
      column.mean.some((x) => x !== null) &&
        part("Over all iterations", series(column.shown, column.min, column.max, t, jump)),
      this.heat(column, t),
      info?.p &&
        part(
          "Written in",
          ...info.p.map(([file, line, text]) =>
            h("div.wb-place", {}, h("span", {}, `${file}:${line}`), h("code", {}, text)),
          ),
        ),
    );
  }

  heat(column, t) {
    if (!column.x || !column.x.some((row) => row && row.length > 1)) return null;
    const width = Math.max(...column.x.map((row) => row?.length || 0));
    const rows = [...Array(width).keys()].map((i) => column.x.map((row) => row?.[i] ?? null));
    const all = column.shape.reduce((product, n) => product * n, 1);
    const note = all > width ? `t × the first ${width} of ${all} elements` : "t × element";
    return part("Elements", heatmap(rows, this.theme, note, t));
  }

  toggle() {
    if (this.timer) return this.stop();
    if (this.store.state.iteration >= this.trace.n - 1) this.store.set({ iteration: 0 });
    fill(this.play, icon("pause"));
    this.timer = setInterval(() => {
      const { iteration } = this.store.state;
      if (iteration >= this.trace.n - 1) return this.stop();
      return this.store.set({ iteration: iteration + 1 });
    }, PLAY_EVERY);
    return undefined;
  }

  stop() {
    clearInterval(this.timer);
    this.timer = null;
    fill(this.play, icon("play"));
  }

  update(state, changed) {
    if (!this.stage) return;
    if (changed.has("selected")) this.follow(state.selected);
    if (changed.has("iteration") || changed.has("theme")) this.go(this.clamp(state.iteration));
    this.stage.draw();
  }

  /** A node inside a traced loop was chosen elsewhere: show it here. */
  follow(selected) {
    const [outer, inner] = selected.split("/");
    const index = this.data.traces.findIndex((trace) => String(trace.node) === outer);
    if (index >= 0 && index !== this.chosen) {
      this.which.selectedIndex = index;
      this.choose(index);
    }
    if (index >= 0 && inner && this.trace.cols[this.portOf(inner)]) {
      this.variable = this.portOf(inner);
      this.go(this.clamp(this.store.state.iteration));
    }
  }

  dispose() {
    clearInterval(this.timer);
    this.stage?.dispose();
  }
}

/** Of a scalar only its value was sent. */
function spread(column) {
  column.mean ||= column.x.map((row) => row?.[0] ?? null);
  column.min ||= column.mean;
  column.max ||= column.mean;
  const isBad = (t) => column.nans?.[t] || column.infs?.[t];
  column.mute = column.mean.every((mean) => mean === null); // no numbers at all: not a matter of time
  column.shown ||= column.mean.map((mean, t) => (mean === null && isBad(t) ? "nan" : mean));
}

/** Whether a variable was computed at iteration t: a choice may have left it out. */
function ranAt(column, t) {
  if (!column) return false;
  return column.mean[t] !== null || Boolean(column.nans?.[t] || column.infs?.[t]) || column.mute;
}

/** A variable at one iteration in a few characters: the number, or mean and range. */
function noteAt(column, t) {
  const sample = column.x?.[t];
  if (column.nans?.[t]) return `${plural(column.nans[t], "nan")}`;
  if (column.infs?.[t]) return `${plural(column.infs[t], "inf")}`;
  if (column.dtype === "random state") return column.dtype;
  if (!ranAt(column, t)) return "not run";
  if (column.mean[t] === null) return "–";
  if (!column.shape.length) return num(sample?.[0] ?? column.mean[t]);
  return `${num(+(+column.min[t]).toPrecision(2))} … ${num(+(+column.max[t]).toPrecision(2))}`;
}
