// The widget: a header, five tabs that share one state, and what is needed to take it away again.

import { fill, guardKeys, h, plural } from "./dom.js";
import { readTheme, watchTheme } from "./theme.js";
import { Data, Store } from "./model.js";
import { parseQuery } from "./search.js";
import { GraphTab } from "./graph.js";
import { RewritesTab } from "./rewrites.js";
import { ValuesTab } from "./values.js";
import { ScanTab } from "./scan.js";
import { ProfileTab } from "./profile.js";

const TABS = {
  graph: ["Graph", GraphTab],
  rewrites: ["Rewrites", RewritesTab],
  values: ["Values", ValuesTab],
  scan: ["Scan", ScanTab],
  profile: ["Profile", ProfileTab],
};

class Workbench {
  constructor(model, root) {
    this.model = model;
    this.root = root;
    this.theme = readTheme(root);
    this.stopWatching = watchTheme(() => this.retheme());
    // Notebooks render outputs that are out of sight outside the page, where no style has colours.
    this.arriving = new ResizeObserver(() => this.theme.paper || this.retheme());
    this.arriving.observe(root);
    this.load = () => this.reload();
    this.fail = () => this.showError();
    model.on("change:payload", this.load);
    model.on("change:error", this.fail);
    guardKeys(root);
    this.reload();
  }

  reload() {
    this.unload();
    this.data = new Data(this.model.get("payload"));
    this.store = new Store(this.model, this.data);
    this.store.query = (text) => parseQuery(text, this.data);
    this.store.on((state, changed) => this.update(state, changed));
    this.tabs = {};
    this.page = h("div.wb-page");
    this.error = h("div.wb-error", { role: "alert" });
    fill(this.root, this.header(), this.error, this.page);
    this.showError();
    this.open(this.store.state.tab);
  }

  header() {
    const { title, sizes, steps, before, after, scenes } = this.data;
    const count = steps.length
      ? `${sizes[0].toLocaleString("en")} → ${plural(sizes[1], "node")} · ${plural(steps.length, "rewrite")}`
      : plural(sizes[0], "node");
    this.buttons = Object.entries(TABS).map(([name, [text]]) =>
      h(
        "button.wb-tabname",
        { type: "button", role: "tab", onclick: () => this.store.set({ tab: name }) },
        text,
      ),
    );
    const strip = h("div.wb-tabs", { role: "tablist", ariaLabel: "Views" }, ...this.buttons);
    strip.addEventListener("keydown", (event) => this.key(event));
    return h(
      "div.wb-header",
      {},
      h("div.wb-title", {}, h("b", {}, title), h("span", {}, count)),
      strip,
    );
  }

  key(event) {
    const move = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!move) return;
    const names = Object.keys(TABS);
    const next = (names.indexOf(this.store.state.tab) + move + names.length) % names.length;
    this.store.set({ tab: names[next] });
    this.buttons[next].focus();
  }

  /** Show a tab; it is made when it is first asked for. */
  open(name) {
    Object.keys(TABS).forEach((one, i) => {
      this.buttons[i].setAttribute("aria-selected", String(one === name));
      this.buttons[i].tabIndex = one === name ? 0 : -1;
      if (this.tabs[one]) this.tabs[one].element.hidden = one !== name;
    });
    if (this.tabs[name]) return;
    const tab = (this.tabs[name] = new TABS[name][1](this.store, this.theme));
    tab.element.setAttribute("role", "tabpanel");
    tab.element.setAttribute("aria-label", TABS[name][0]);
    this.page.append(tab.element);
  }

  update(state, changed) {
    if (changed.has("tab")) this.open(state.tab);
    for (const tab of Object.values(this.tabs)) tab.update(state, changed);
  }

  retheme() {
    Object.assign(this.theme, readTheme(this.root));
    for (const tab of Object.values(this.tabs)) tab.update(this.store.state, new Set(["theme"]));
  }

  showError() {
    this.error.textContent = this.model.get("error") || "";
    this.error.hidden = !this.error.textContent;
  }

  unload() {
    this.store?.dispose();
    for (const tab of Object.values(this.tabs || {})) tab.dispose();
  }

  dispose() {
    this.unload();
    this.stopWatching();
    this.arriving.disconnect();
    this.model.off("change:payload", this.load);
    this.model.off("change:error", this.fail);
  }
}

const widget = {
  /** Show `model` in `el`; called once per view. Returns what takes it away. */
  render({ model, el }) {
    const root = h("div.wb-root");
    el.append(root);
    const workbench = new Workbench(model, root);
    return () => workbench.dispose();
  },
};
export default widget;
