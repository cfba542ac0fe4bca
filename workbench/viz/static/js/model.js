// What is shown (the payload, read only) and what is chosen (the shared state of all tabs).
//
// A node's info, as `workbench/viz/encode.py` writes it: k kind, o op, l label, t types of the outputs, n their names,
// d detail, v device, g group, p places [file, line, text], x number of the scene inside. A node's key is its id as
// text; "12/3" is node 3 of the graph inside node 12.

export const CHOICE = "IfElse"; // the op that runs one of two branches
export const isRandomState = (type) => type.startsWith("random state");

/** The number of the first type that is not a random state's. */
export const mainOutput = (types) =>
  Math.max(
    0,
    types.findIndex((type) => !isRandomState(type)),
  );

const SYNCED = ["selected", "tab", "step", "iteration"];

/** The payload with look-ups. */
export class Data {
  constructor(payload) {
    Object.assign(this, payload);
    this.payload = payload;
    this.origins = this.change.origins;
    this.fates = {};
    for (const [id, sources] of Object.entries(this.origins))
      for (const source of sources) (this.fates[source] ||= []).push(+id);
    this.madeBy = new Map(this.steps.flatMap((step, i) => (step.ad || []).map((id) => [id, i])));
    this.times = new Map(
      (this.profile?.rows || []).map((row) => [
        row[11] === null ? `${row[0]}` : `${row[11]}/${row[0]}`,
        row,
      ]),
    );
    this.choices = {};
    this.groups = { before: new Map(), after: new Map() };
    this.reads = { before: this.collect("before"), after: this.collect("after") };
  }

  /** What every node of a side reads: a map from id to [node, index, …]. Also fills `groups`: the groups around a node. */
  collect(side, number = this[side], reads = new Map(), around = []) {
    const scene = this.scenes[number];
    const note = (id, flat) => {
      reads.set(id, flat);
      if (around.length) this.groups[side].set(String(id), around);
    };
    for (const id of scene.ids) {
      const own = scene.nodes[id];
      if (own?.k === "group") this.collect(side, own.x, reads, [...around, String(id)]);
      else note(id, scene.in[id] || []);
    }
    for (const [id, flat] of Object.entries(scene.in)) {
      if (+id >= 0) note(+id, flat);
      for (let i = 0; i < flat.length; i += 2)
        if (this.nodes[flat[i]] && !reads.has(flat[i])) reads.set(flat[i], []);
    }
    return reads;
  }

  /** The info of the node with this key, on this side. */
  info(key, side = "after") {
    const [outer, ...path] = String(key).split("/");
    let info = (side === "after" && this.last[outer]) || this.nodes[outer];
    for (const id of path) info = info && this.scenes[info.x]?.nodes[id];
    return info;
  }

  /** The flat list of ports [node, index, …] that a node reads. */
  inputs(key, side = "after") {
    const path = String(key).split("/");
    const id = path.pop();
    if (path.length) return this.scenes[this.info(path.join("/"), side)?.x]?.in[id] || [];
    return this.reads[side].get(+id) || [];
  }

  /** The number of a node's first output that is not a random state. */
  mainOutput(key, side) {
    return mainOutput(this.info(key, side)?.t || []);
  }

  /** Whether a choice left this node out: it has no value, though the rest of its graph has. */
  notRun(key, side) {
    const table = this.values[side];
    const info = this.info(key, side);
    if (!table || table.note || !this.hasChoice(side) || info?.k !== "apply") return false;
    const around = String(key).split("/").slice(0, -1).join("/");
    if (around && this.info(around, side)?.o !== CHOICE) return false;
    return !info.t.some((_, i) => table.rows[`${key}:${i}`]);
  }

  hasChoice(side) {
    this.choices[side] ??=
      Object.keys(this.values[side].rows).length > 0 &&
      this.keys(side).some((key) => this.info(key, side)?.o === CHOICE);
    return this.choices[side];
  }

  /** The summary of a node's main output: [shape, dtype, min, max, mean, std, nans, infs, zeros, histogram, sample]. */
  value(key, side, index = this.mainOutput(key, side)) {
    return this.values[side]?.rows[`${key}:${index}`];
  }

  /** The side on which a node is: the one asked for, if it is there. */
  sideOf(key, wanted = "after") {
    const id = +String(key).split("/")[0];
    return this.reads[wanted].has(id) ? wanted : wanted === "after" ? "before" : "after";
  }

  /** All keys of a side. */
  keys(side) {
    return [...this.reads[side].keys()].map(String);
  }

  /** The keys on `side` that correspond to a key on the other one: itself where it was kept, else by the history. */
  counterparts(key, side) {
    const [outer, ...path] = String(key).split("/");
    const found = side === "before" ? this.origins[outer] || [] : this.fates[outer] || [];
    const ids = this.reads[side].has(+outer) ? [+outer, ...found] : found;
    return ids
      .filter((id) => this.reads[side].has(id))
      .map((id) => (path.length && `${id}` === outer ? key : `${id}`));
  }

  /** The steps that led to a node, oldest first. */
  chain(id) {
    const steps = new Set(),
      queue = [+id];
    while (queue.length) {
      const step = this.madeBy.get(queue.pop());
      if (step === undefined || steps.has(step)) continue;
      steps.add(step);
      const { rm = [], re = [] } = this.steps[step];
      queue.push(...rm, ...re.map((pair) => pair[0]));
    }
    return [...steps].sort((a, b) => a - b);
  }

  /** The ids reached from `id` against the edges ("up") or along them ("down"), itself included. */
  flow(id, side, way) {
    const reads = this.reads[side];
    const next =
      way === "up"
        ? (one) => (reads.get(one) || []).filter((_, i) => i % 2 === 0)
        : this.readers(side);
    const found = new Set([+id]),
      queue = [+id];
    while (queue.length)
      for (const other of next(queue.pop()))
        if (!found.has(other)) {
          found.add(other);
          queue.push(other);
        }
    return found;
  }

  readers(side) {
    const table = new Map();
    for (const [id, flat] of this.reads[side])
      for (let i = 0; i < flat.length; i += 2)
        table.has(flat[i]) ? table.get(flat[i]).push(id) : table.set(flat[i], [id]);
    return (id) => table.get(id) || [];
  }

  seconds(key) {
    return this.times.get(String(key))?.[4];
  }
}

/** The shared state; `set` tells every listener what changed and carries the synced part to the kernel. */
export class Store {
  constructor(model, data) {
    this.model = model;
    this.data = data;
    this.state = { selected: "", tab: data.view, step: 0, iteration: 0 };
    for (const name of SYNCED) this.state[name] = model.get(name) ?? this.state[name];
    Object.assign(this.state, { query: "", hover: "", side: "after", opened: new Set() });
    this.listeners = new Set();
    this.questions = new Map();
    this.heard = SYNCED.map((name) => [
      `change:${name}`,
      () => this.set({ [name]: model.get(name) }, false),
    ]);
    this.heard.push(["msg:custom", (message) => this.answer(message)]);
    for (const [event, hear] of this.heard) model.on(event, hear);
  }

  on(listener) {
    this.listeners.add(listener);
  }

  /** Change some of the state. @param {object} patch */
  set(patch, send = true) {
    const changed = new Set(Object.keys(patch).filter((name) => patch[name] !== this.state[name]));
    if (!changed.size) return;
    Object.assign(this.state, patch);
    const synced = SYNCED.filter((name) => send && changed.has(name));
    for (const name of synced) this.model.set(name, this.state[name]);
    if (synced.length) this.model.save_changes();
    for (const listener of this.listeners) listener(this.state, changed);
  }

  /** Ask the kernel for what was too large to send. Resolves to null where nobody answers. */
  ask(message) {
    if (!this.data.live) return Promise.resolve(null);
    const ask = (this.lastAsk = (this.lastAsk || 0) + 1);
    return new Promise((resolve) => {
      this.questions.set(ask, resolve);
      setTimeout(() => this.questions.delete(ask) && resolve(null), 15000);
      this.model.send({ ...message, ask });
    });
  }

  answer(message) {
    const resolve = this.questions.get(message?.ask);
    this.questions.delete(message?.ask);
    resolve?.(message);
  }

  dispose() {
    for (const [event, hear] of this.heard) this.model.off(event, hear);
    this.listeners.clear();
  }
}
