// The list of nodes beside the canvas: the same choice for a keyboard and a reader of the screen.

import { h, fill, plural } from "./dom.js";
import { describe } from "./search.js";
import { isScan, subtitle, titled } from "./paint.js";

const MOST = 400;

/** A listbox of nodes. `pick(key)` is called on a choice; `.show(keys, side, found)` fills it. */
export class NodeList {
  constructor(store, pick) {
    this.store = store;
    this.pick = pick;
    this.box = h("div.wb-list", { role: "listbox", ariaLabel: "Nodes" });
    this.count = h("div.wb-count", { role: "status" });
    this.element = h("div.wb-nodes", {}, this.count, this.box);
    this.box.addEventListener("keydown", (event) => this.key(event));
  }

  show(keys, side, searching) {
    const signature = `${side} ${keys.join()}`;
    const many = keys.length > MOST ? `, the first ${MOST} of them listed` : "";
    this.count.textContent = plural(keys.length, "node") + (searching ? " found" : "") + many;
    if (signature !== this.signature)
      fill(
        this.box,
        keys.slice(0, MOST).map((key) => this.option(key, side)),
      );
    this.signature = signature;
    this.mark();
  }

  option(key, side) {
    const { data } = this.store;
    const info = data.info(key, side);
    const state = data.change[side][key];
    const option = h(
      "div.wb-option",
      {
        role: "option",
        tabIndex: -1,
        ariaLabel: describe(data, key, side),
        onclick: () => this.pick(key),
      },
      h("span.wb-dot" + (state ? `.wb-is-${state}` : `.wb-kind-${isScan(info) ? "scan" : info.k}`)),
      h("span.wb-name", {}, titled(info)),
      h("span.wb-type", {}, subtitle(info)),
    );
    option.dataset.key = key;
    return option;
  }

  /** Show which one is chosen; one option takes part in the Tab order. */
  mark() {
    const { selected } = this.store.state;
    let current = null;
    for (const option of this.box.children) {
      const chosen = option.dataset.key === selected;
      option.setAttribute("aria-selected", String(chosen));
      option.tabIndex = -1;
      if (chosen) current = option;
    }
    const first = current || this.box.firstElementChild;
    if (first) first.tabIndex = 0;
    if (current) current.scrollIntoView({ block: "nearest" });
  }

  key(event) {
    const move = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
    const edge = { Home: "firstElementChild", End: "lastElementChild" }[event.key];
    const option = event.target.closest("[role=option]");
    const next = move ? option?.[move] : edge && this.box[edge];
    if (event.key === "Enter" || event.key === " ") option?.click();
    else if (!next) return;
    next?.focus();
    event.preventDefault();
  }
}
