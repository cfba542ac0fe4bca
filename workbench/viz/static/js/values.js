// The Values tab: every variable's value in a sortable table, the chosen one's card beside it.

import { fill, h, num, plural, switcher } from "./dom.js";
import { tiny } from "./charts.js";
import { nodeCard } from "./card.js";
import { isRandomState } from "./model.js";
import { isFused, titled } from "./paint.js";
import { sortable } from "./table.js";

const COLUMNS = [
  ["variable", (row) => row.name],
  ["dtype", (row) => row.value[1]],
  ["shape", (row) => row.value[0].join("×") || "scalar"],
  ["min", (row) => row.value[2]],
  ["mean", (row) => row.value[4]],
  ["max", (row) => row.value[3]],
  ["std", (row) => row.value[5]],
  ["nan", (row) => row.value[6]],
  ["inf", (row) => row.value[7]],
  ["zeros", (row) => row.value[8]],
  ["histogram", () => null],
];

/** Text as it is, numbers shortened, a zero count faint, the histogram in little. */
function cell(value, name, row) {
  if (name === "histogram")
    return row.value[9].length > 1 && row.value[3] > row.value[2] ? tiny(row.value[9]) : "";
  if (typeof value === "string") return value;
  return value === 0 && ["nan", "inf", "zeros"].includes(name)
    ? h("span.wb-none", {}, "0")
    : num(value);
}

export class ValuesTab {
  constructor(store, theme) {
    Object.assign(this, { store, theme, data: store.data });
    this.sides = ["before", "after"].filter((side) => this.data.values[side]);
    this.side = this.sides.at(-1);
    this.note = h("div.wb-note", { role: "status" });
    this.place = h("div.wb-scroll");
    this.card = h("div.wb-cardbox");
    this.switch = switcher(
      "Graph",
      this.sides.map((side) => [side, side === "before" ? "Before" : "After"]),
      (side) => this.turn(side),
    );
    this.search = h("input.wb-search", {
      type: "search",
      placeholder: "Search: dot, nan:>0",
      ariaLabel: "Search values",
      oninput: () => store.set({ query: this.search.value }),
    });
    this.element = h(
      "div.wb-tab",
      {},
      h("div.wb-bar", {}, this.search, this.sides.length > 1 ? this.switch : null, this.note),
      h("div.wb-body", {}, h("div.wb-panes", {}, this.place), h("aside.wb-side", {}, this.card)),
    );
    if (this.side) this.turn(this.side);
    else
      fill(
        this.place,
        h(
          "div.wb-hint",
          {},
          "No values were recorded. Give values for the inputs to see every intermediate one.",
        ),
      );
  }

  rows() {
    return Object.entries(this.data.values[this.side].rows).flatMap(([port, value]) => {
      const [key, index] = port.split(":");
      const info = this.data.info(key, this.side) || {};
      if (info.k === "constant" && !value[0].length) return []; // its label says it all
      const own = info.n?.[index];
      const parts = isFused(info) && info.d ? info.d.split("\n") : [];
      const name = (key.includes("/") ? "↳ " : "") + (titled(info) || `#${key}`);
      const isState = isRandomState(value[1]);
      if (isState && info.k === "apply") return []; // what was drawn is told
      const many = info.t?.filter((type) => !isRandomState(type)).length > 1;
      return { key, name: many ? own || parts[index] || `${name} .${index}` : name, value };
    });
  }

  turn(side) {
    this.side = side;
    this.switch.show(side);
    const rows = this.rows();
    const bad = rows.filter((row) => row.value[6] || row.value[7]).length;
    fill(
      this.note,
      this.data.values[side].note,
      ` ${plural(rows.length, "variable")}, `,
      bad ? h("b.wb-alarm", {}, `${bad} with nan or inf`) : "no nan, no inf",
    );
    const some = (name) => rows.some((row) => row.value[name === "nan" ? 6 : 7]);
    const columns = COLUMNS.filter(([name]) => !["nan", "inf"].includes(name) || some(name));
    this.table = sortable(columns, rows, {
      label: `Values, ${side}`,
      cell,
      mark: (row) => (row.value[6] || row.value[7] ? "wb-row-bad" : ""),
      pick: (row) => this.store.set({ selected: row.key, side }),
    });
    fill(this.place, this.table.element);
    this.update(this.store.state, new Set(["query", "selected"]));
  }

  update(state, changed) {
    if (!this.side) return;
    if (changed.has("query")) {
      this.search.value = state.query;
      const holds = this.store.query(state.query);
      this.table.filter((row) => !holds || holds(row.key, this.side));
    }
    if (changed.has("selected") || changed.has("side")) {
      this.table.choose(state.selected);
      fill(
        this.card,
        nodeCard(
          this.store,
          state.selected,
          this.data.sideOf(state.selected, this.side),
          this.theme,
          { pick: (key) => this.store.set({ selected: key }), valueFirst: true },
        ),
      );
    }
  }

  dispose() {}
}
