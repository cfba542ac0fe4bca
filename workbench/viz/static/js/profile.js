// The Profile tab: heat on the graph, a table by apply, op or class, the stages of the compilation.

import { fill, h, num, plural, switcher, time } from "./dom.js";
import { stacked } from "./charts.js";
import { besides, columns, timeline } from "./device.js";
import { titled } from "./paint.js";
import { sceneView } from "./scene.js";
import { Stage } from "./stage.js";
import { sortable } from "./table.js";

const NODE = 0,
  OP = 1,
  LABEL = 2,
  CALLS = 3,
  SECONDS = 4,
  MEDIAN = 5,
  SPREAD = 6,
  BYTES = 7,
  FLOPS = 8,
  DEVICE = 9,
  FORM = 10,
  PARENT = 11,
  LAUNCH = 12;

export class ProfileTab {
  constructor(store, theme) {
    Object.assign(this, { store, theme, data: store.data, profile: store.data.profile });
    this.element = h("div.wb-tab");
    if (!this.profile) {
      fill(
        this.element,
        h("div.wb-hint", {}, "Nothing was timed. Ask for a profile to see where the time goes."),
        this.compile(),
      );
      return;
    }
    this.total =
      this.profile.rows.reduce((sum, row) => sum + (row[PARENT] === null ? typical(row) : 0), 0) ||
      1;
    this.most = Math.max(...this.profile.rows.map(typical), 1e-12);
    this.stage = new Stage(theme, {
      least: 0.9,
      label: "Graph coloured by time",
      look: (box) => this.look(box),
      lineLook: () => ({}),
      pick: (key) => store.set({ selected: key, side: "after" }),
      open: (key) => this.toggle(key),
    });
    this.place = h("div.wb-scroll");
    this.verdict = h("p.wb-why", { role: "status" });
    this.kinds = switcher(
      "Rows",
      [
        ["apply", "Apply"],
        ["op", "Op"],
        ["class", "Class"],
      ],
      (kind) => this.by(kind),
    );
    const { calls, seconds, overhead } = this.profile;
    const told = h(
      "div.wb-note",
      {},
      `${plural(calls, "call")}, `,
      h("b", {}, `${time(seconds / Math.max(1, calls))} a call`),
      overhead ? ` · measuring costs ${time(overhead)} of it` : "",
      (this.common = h("span")),
    );
    fill(
      this.element,
      h("div.wb-bar", {}, this.kinds, told),
      this.compile(),
      h(
        "div.wb-body",
        {},
        h("div.wb-panes", {}, this.stage.element),
        h("aside.wb-side.wb-wider", {}, this.place, this.verdict, ...this.notes()),
      ),
    );
    this.rebuild(true);
    this.by("apply");
  }

  compile() {
    const stages = this.profile?.stages || [];
    const told = new Set(stages.map(([name]) => name));
    const passes = this.data.passes.some(([name]) => !told.has(name)) ? this.data.passes : [];
    return h(
      "div.wb-stages",
      {},
      stages.length ? [h("span", {}, "Compile"), stacked(stages, "Compile stages")] : "",
      passes.length
        ? [
            h("span", {}, "Passes"),
            stacked(
              passes.map(([name, , , seconds]) => [name, seconds]),
              "Passes",
            ),
          ]
        : "",
      this.profile?.spans.length
        ? timeline(
            this.profile,
            (key) => this.named(key),
            (key) => this.store.set({ selected: key, side: "after" }),
          )
        : "",
    );
  }

  notes() {
    return this.profile.notes.map((note) => h("p.wb-why", {}, note));
  }

  rebuild(reset = false) {
    const { opened } = this.store.state;
    this.stage.show(sceneView(this.data, this.data.after, "after", opened), {
      reset,
      animate: !reset,
    });
    fill(
      this.stage.caption,
      h("b", {}, "Time"),
      " darker is slower; the number is the time of one call",
    );
  }

  toggle(key) {
    const opened = new Set(this.store.state.opened);
    if (!opened.delete(key)) opened.add(key);
    this.store.set({ opened });
  }

  look(box) {
    const row = this.data.times.get(box.key);
    const seconds = row ? typical(row) : box.info.k === "group" ? this.groupSeconds(box.key) : 0;
    return {
      state: "",
      chosen: box.key === this.store.state.selected,
      heat: seconds ? Math.sqrt(seconds / this.most) : undefined,
      note: seconds ? time(row ? row[MEDIAN] : seconds / this.profile.calls) : undefined,
    };
  }

  groupSeconds(group) {
    let sum = 0;
    for (const [id, around] of this.data.groups.after)
      if (around.includes(group)) sum += this.data.seconds(id) || 0;
    return sum;
  }

  // ---- the table

  by(kind) {
    this.kinds.show(kind);
    const rows = kind === "apply" ? this.applies() : this.merged(kind);
    const bar = (value) =>
      h(
        "div.wb-share",
        {},
        h("i", { style: `width:${Math.max(1, (100 * value) / this.most)}%` }),
        h("span", {}, percent(value / this.total)),
      );
    const beside = kind === "apply" ? columns(this.profile) : [];
    const all = [
      ["share", (row) => row.typical, (row) => bar(row.typical)],
      [kind, (row) => row.name],
      ...this.timesBy(kind, beside),
      ["calls", (row) => row.calls],
      ["bytes", (row) => row.bytes, (row) => size(row.bytes, "B")],
      ...(beside.length ? [] : this.totals()),
      ["where", (row) => row.where],
    ];
    const [shown, common] = withoutCommon(all, rows, ["calls", "where"]);
    this.common.textContent = common.length ? ` · every row: ${common.join(", ")}` : "";
    this.table = sortable(shown, rows, {
      label: `Times by ${kind}`,
      sort: 0,
      mark: (row) => (row.inner ? "wb-row-inner" : ""),
      cell: (value, name, row) =>
        shown.find(([title]) => title === name)[2]?.(row) ??
        (typeof value === "string" ? value : num(value)),
      pick: (row) => row.key && this.store.set({ selected: row.key, side: "after" }),
    });
    fill(this.place, this.table.element);
    this.table.choose(this.store.state.selected);
  }

  /** What a call takes: of nodes beside the processor's where a device ran them. */
  timesBy(kind, beside) {
    if (kind !== "apply") return [["nodes", (row) => row.nodes]];
    if (beside.length) return beside;
    return [
      ["a call", (row) => row.median, (row) => time(row.median)],
      ["spread", (row) => row.spread, (row) => time(row.spread)],
    ];
  }

  totals() {
    return [
      ["flops", (row) => row.flops, (row) => size(row.flops, "")],
      ["total", (row) => row.seconds, (row) => time(row.seconds)],
    ];
  }

  /** One row per node; a scan's inner rows stand under it as long as the table is in time's order. */
  applies() {
    return this.profile.rows.map((row) => ({
      key: keyOf(row),
      inner: row[PARENT] !== null,
      name: this.called(row),
      seconds: row[SECONDS],
      typical: typical(row),
      median: row[MEDIAN],
      spread: row[SPREAD],
      calls: row[CALLS],
      bytes: row[BYTES],
      flops: row[FLOPS],
      where: where(row),
      ...besides(this.profile, row[NODE], {
        median: row[MEDIAN],
        launch: row[LAUNCH],
        form: row[FORM],
        device: row[DEVICE],
        inner: row[PARENT] !== null,
      }),
    }));
  }

  /** A row's name: its node's, which says more of a fused op than the op does. */
  called(row) {
    return (row[PARENT] === null ? "" : "↳ ") + (this.named(keyOf(row)) || row[LABEL]);
  }

  named(key) {
    const info = this.data.info(key);
    return info ? titled(info) : "";
  }

  /** Whether a device pays off for the chosen node, and why. */
  judge(key) {
    const row = this.applies().find((one) => one.key === key);
    fill(this.verdict, row?.why ? [h("b", {}, row.name), ` ${row.why}`] : "");
  }

  merged(kind) {
    const groups = new Map();
    for (const row of this.profile.rows) {
      if (row[PARENT] !== null) continue;
      const name = kind === "op" ? row[LABEL] : row[OP];
      const sum = groups.get(name) || {
        key: "",
        name,
        seconds: 0,
        typical: 0,
        nodes: 0,
        calls: 0,
        bytes: 0,
        flops: 0,
        where: where(row),
      };
      Object.assign(sum, {
        seconds: sum.seconds + row[SECONDS],
        typical: sum.typical + typical(row),
        nodes: sum.nodes + 1,
        calls: sum.calls + row[CALLS],
        bytes: sum.bytes + row[BYTES],
        flops: sum.flops + row[FLOPS],
      });
      groups.set(name, sum);
    }
    return [...groups.values()];
  }

  update(state, changed) {
    if (!this.stage) return;
    if (changed.has("opened")) this.rebuild();
    if (changed.has("selected")) {
      this.stage.cursor = state.selected;
      this.stage.reveal(state.selected);
      this.table.choose(state.selected);
      this.judge(state.selected);
    }
    this.stage.draw();
  }

  dispose() {
    this.stage?.dispose();
  }
}

/** The columns but those named ones that say the same in every row, and what these say. */
function withoutCommon(columns, rows, names) {
  const same = ([name, read]) =>
    names.includes(name) && rows.length && rows.every((row) => read(row) === read(rows[0]));
  const told = ([name, read]) => (name === "calls" ? plural(read(rows[0]), "call") : read(rows[0]));
  return [columns.filter((one) => !same(one)), columns.filter(same).map(told)];
}

/** What a row takes in all its calls, were all like the median one: no outlier decides who is slow. */
const typical = (row) => row[MEDIAN] * row[CALLS] || row[SECONDS];
const keyOf = (row) => (row[PARENT] === null ? `${row[NODE]}` : `${row[PARENT]}/${row[NODE]}`);
const percent = (share) => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)}%`;
const where = (row) => (row[FORM] === "native" ? row[DEVICE] : `${row[DEVICE]}, ${row[FORM]}`);

function size(value, unit) {
  if (!value) return "–";
  const power = Math.min(4, Math.floor(Math.log10(value) / 3));
  return `${+(value / 1000 ** power).toPrecision(3)} ${["", "k", "M", "G", "T"][power]}${unit}`;
}
