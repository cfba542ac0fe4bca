// The Graph tab: before and after side by side, one camera move for both, one choice for both.

import { button, fill, h, plural, switcher } from "./dom.js";
import { nodeCard } from "./card.js";
import { NodeList } from "./nodes.js";
import { sceneView } from "./scene.js";
import { parseQuery, SEARCH_HELP } from "./search.js";
import { Stage } from "./stage.js";
import { roleTint, STATES } from "./theme.js";

const SIDES = ["before", "after"];

export class GraphTab {
  constructor(store, theme) {
    Object.assign(this, {
      store,
      theme,
      data: store.data,
      flow: "",
      shown: store.data.steps.length ? "both" : "before",
    });
    this.linked = { before: new Set(), after: new Set() };
    this.told = { before: h("b.wb-told"), after: h("b.wb-told") };
    this.matching = { before: null, after: null };
    this.reached = { before: null, after: null };
    this.stages = Object.fromEntries(SIDES.map((side) => [side, this.stage(side)]));
    this.list = new NodeList(store, (key) => this.pick(key));
    this.card = h("div.wb-cardbox");
    this.panes = h("div.wb-panes", {}, ...SIDES.map((side) => this.stages[side].element));
    this.element = h(
      "div.wb-tab",
      {},
      this.toolbar(),
      h("div.wb-body", {}, this.panes, h("aside.wb-side", {}, this.card, this.list.element)),
    );
    for (const side of SIDES) this.rebuild(side, true);
    this.arrange(this.shown);
    this.update(store.state, new Set(["selected", "query"]));
  }

  toolbar() {
    this.search = h("input.wb-search", {
      type: "search",
      placeholder: "Search: dot, time:>1ms",
      title: SEARCH_HELP,
      ariaLabel: "Search nodes",
      oninput: () => this.store.set({ query: this.search.value }),
    });
    this.search.addEventListener("keydown", (event) => event.key === "Enter" && this.nextFound());
    this.shows = switcher(
      "Show",
      [
        ["before", "Before"],
        ["both", "Both"],
        ["after", "After"],
      ],
      (shown) => this.arrange(shown),
    );
    this.flows = switcher(
      "Highlight",
      [
        ["up", "↑ Upstream"],
        ["down", "↓ Downstream"],
      ],
      (way) => this.setFlow(way === this.flow ? "" : way),
    );
    const open = button(
      "Expand all",
      "Expand or collapse all groups",
      () => this.openAll(),
      ".wb-expand",
    );
    this.expand = open;
    return h(
      "div.wb-bar",
      {},
      this.search,
      this.data.steps.length ? this.shows : null,
      this.flows,
      open,
      this.legend(),
    );
  }

  legend() {
    const states = new Set(SIDES.flatMap((side) => Object.values(this.data.change[side])));
    return h(
      "div.wb-legend",
      {},
      ...Object.keys(STATES)
        .filter((state) => states.has(state))
        .map((state) => h("span", {}, h(`i.wb-mark.wb-is-${state}`, {}, STATES[state]), state)),
    );
  }

  stage(side) {
    const other = SIDES[1 - SIDES.indexOf(side)];
    return new Stage(this.theme, {
      label: `Graph ${side}: ${plural(this.data.sizes[SIDES.indexOf(side)], "node")}. The list of nodes beside it says the same.`,
      look: (box) => this.look(box, side),
      lineLook: (line) => this.lineLook(line, side),
      pick: (key) => this.pick(key, side),
      hover: (key) => this.hover(key, side),
      open: (key) => this.toggle(key),
      camera: (move) => this.stages[other].follow(move),
      search: () => this.search.focus(),
    });
  }

  // ---- what a node looks like

  look(box, side) {
    const { selected, hover } = this.store.state;
    const { key } = box;
    const matching = this.matching[side],
      reached = this.reached[side];
    const found = matching && this.holds(box, matching);
    const notRun = !box.frame && this.data.notRun(key, side);
    return {
      state: this.data.change[side][key],
      tint: roleTint(box, this.theme),
      chosen: key === selected,
      hover: key === hover,
      linked:
        key !== selected &&
        (this.linked[side].has(key) ||
          (box.info.k === "group" && this.groupHolds(key, side, this.linked[side]))),
      found,
      pale: notRun,
      faded: (matching && !found) || (reached && !this.holds(box, reached)),
      note: notRun ? "not run" : undefined,
    };
  }

  holds(box, keys) {
    return (
      keys.has(box.key) ||
      keys.has(box.key.split("/")[0]) ||
      (box.info.k === "group" && this.groupHolds(box.key, null, keys))
    );
  }

  groupHolds(group, side, keys) {
    const sides = side ? [side] : SIDES;
    for (const key of keys)
      if (sides.some((one) => this.data.groups[one].get(key)?.includes(group))) return true;
    return false;
  }

  lineLook(line, side) {
    const { selected, hover } = this.store.state;
    const touches = (key) => key && (line.from === key || line.to === key);
    const reached = this.reached[side];
    const within = reached && reached.has(line.from) && reached.has(line.to);
    return { strong: touches(selected) || touches(hover) || within, faded: reached && !within };
  }

  // ---- choosing

  pick(key, side) {
    const at = key ? this.data.sideOf(key, side || this.store.state.side) : this.store.state.side;
    this.store.set({ selected: key, side: at });
  }

  hover(key, side) {
    const from = this.store.state.selected;
    this.store.set({ hover: key });
    const about = key || from;
    this.link(about, key ? side : this.store.state.side);
    for (const one of SIDES) this.stages[one].draw();
  }

  /** Mark what corresponds to `key` on both sides. */
  link(key, side) {
    for (const one of SIDES) {
      const keys = key && one !== side ? this.data.counterparts(key, one) : [];
      this.linked[one] = new Set(keys);
      this.stages[one].canvas.dataset.marked = keys.join(" ");
      this.told[one].textContent = keys.length ? `${plural(keys.length, "node")} marked` : "";
    }
  }

  setFlow(way) {
    this.flow = way;
    this.flows.show(way);
    this.refreshFlow();
    for (const side of SIDES) this.stages[side].draw();
  }

  refreshFlow() {
    const id = this.store.state.selected.split("/")[0];
    for (const side of SIDES)
      this.reached[side] =
        this.flow && id && this.data.reads[side].has(+id)
          ? new Set([...this.data.flow(id, side, this.flow)].map(String))
          : null;
  }

  nextFound() {
    const { side, selected } = this.store.state;
    const keys = [...(this.matching[side] || [])];
    if (keys.length) this.pick(keys[(keys.indexOf(selected) + 1) % keys.length], side);
  }

  // ---- opening and arranging

  toggle(key) {
    const opened = new Set(this.store.state.opened);
    if (!opened.delete(key)) opened.add(key);
    this.store.set({ opened });
  }

  openAll() {
    const groups = SIDES.flatMap((side) => [...this.data.groups[side].values()].flat());
    const keys = groups.length
      ? groups
      : Object.keys(this.data.nodes).filter((key) => this.data.info(key)?.x !== undefined);
    this.store.set({ opened: new Set(this.store.state.opened.size ? [] : keys) });
  }

  arrange(shown) {
    this.shown = shown;
    this.shows.show(shown);
    for (const side of SIDES) this.stages[side].element.hidden = shown !== "both" && shown !== side;
  }

  rebuild(side, reset = false) {
    const { opened } = this.store.state;
    const stage = this.stages[side];
    stage.show(sceneView(this.data, this.data[side], side, opened), { reset, animate: !reset });
    const hidden = [...stage.view.hidden];
    const groups = stage.view.boxes.filter((box) => box.info.k === "group" && !box.frame);
    if (groups.length)
      hidden.unshift(`${plural(groups.length, "closed group")}: double-click opens`);
    const total = this.data.sizes[SIDES.indexOf(side)];
    fill(
      stage.caption,
      h("b", {}, this.data.steps.length ? (side === "before" ? "Before" : "After") : "Graph"),
      ` ${plural(total, "node")}`,
      hidden.length ? h("span", {}, ` · ${hidden.join(" · ")}`) : "",
      this.told[side],
    );
  }

  /** Open the groups around a node, so that it can be seen. */
  uncover(key) {
    const around = SIDES.flatMap((side) => this.data.groups[side].get(key) || []);
    const parts = key
      .split("/")
      .slice(0, -1)
      .map((_, i, all) => all.slice(0, i + 1).join("/"));
    const missing = [...around, ...parts].filter((one) => !this.store.state.opened.has(one));
    if (missing.length)
      this.store.set({ opened: new Set([...this.store.state.opened, ...missing]) });
  }

  update(state, changed) {
    if (changed.has("opened")) for (const side of SIDES) this.rebuild(side);
    if (changed.has("query")) this.findAll(state);
    if (changed.has("selected") || changed.has("side") || changed.has("opened")) this.choose(state);
    if (changed.has("query") || changed.has("side")) this.fillList(state);
    this.list.mark();
    for (const side of SIDES) this.stages[side].draw();
  }

  findAll(state) {
    if (this.search.value !== state.query) this.search.value = state.query;
    const holds = parseQuery(state.query, this.data);
    for (const side of SIDES)
      this.matching[side] =
        holds && new Set(this.data.keys(side).filter((key) => holds(key, side)));
  }

  fillList({ side, query }) {
    const found = this.matching[side];
    this.list.show(found ? [...found] : this.data.keys(side), side, Boolean(query.trim()));
  }

  choose({ selected, side, opened }) {
    const at = selected ? this.data.sideOf(selected, side) : side;
    if (selected) this.uncover(selected);
    this.link(selected, at);
    this.refreshFlow();
    for (const one of SIDES) {
      this.stages[one].cursor = selected;
      const key = one === at ? selected : [...this.linked[one]][0];
      if (key) this.stages[one].reveal(key);
    }
    fill(
      this.card,
      nodeCard(this.store, selected, at, this.theme, {
        pick: (key) => this.pick(key),
        open: (key) => this.toggle(key),
        opened: opened.has(selected),
      }),
    );
  }

  dispose() {
    for (const side of SIDES) this.stages[side].dispose();
  }
}
