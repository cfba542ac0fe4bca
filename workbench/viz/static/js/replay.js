// The graph after any number of rewrites: the flat first scene with the steps' changes made in turn.

const KEEP_EVERY = 40;

/** Replays a history; `at(k)` is cheap for a k near to one asked before. */
export class Replay {
  constructor(data) {
    this.data = data;
    this.kept = new Map([[0, this.first()]]);
  }

  first() {
    const scene = this.data.scenes[this.data.flat];
    const boxes = new Map(scene.ids.map((id, i) => [id, scene.box.slice(3 * i, 3 * i + 3)]));
    return {
      boxes,
      inputs: new Map(Object.entries(scene.in).map(([id, flat]) => [+id, flat])),
      chips: new Map(Object.entries(scene.chip).map(([id, chips]) => [+id, chips])),
      out: scene.out,
      forms: new Map(),
      moved: new Set(),
    };
  }

  /** The graph after `count` steps: boxes, inputs, chips by id; the output ports; `moved` nodes since the first. */
  at(count) {
    let from = Math.max(...[...this.kept.keys()].filter((k) => k <= count));
    let state = this.kept.get(from);
    while (from < count) {
      state = this.advance(state, this.data.steps[from]);
      from += 1;
      if (from % KEEP_EVERY === 0 || from === count) this.kept.set(from, state);
    }
    return state;
  }

  advance(state, step) {
    const next = {
      boxes: new Map(state.boxes),
      inputs: new Map(state.inputs),
      chips: new Map(state.chips),
      forms: new Map(state.forms),
      moved: new Set(state.moved),
      out: forwarded(state.out, step.re || []),
    };
    for (const id of step.rm || [])
      for (const table of [next.boxes, next.inputs, next.chips]) table.delete(id);
    for (const [id, ports] of Object.entries(step.in || {})) next.inputs.set(+id, ports);
    for (const [id, chips] of Object.entries(step.chip || {})) next.chips.set(+id, chips);
    for (const [id, box] of Object.entries(step.box || {})) {
      next.boxes.set(+id, box);
      next.moved.add(+id);
    }
    for (const id of step.ch || []) next.forms.set(id, this.data.last[id]);
    return next;
  }
}

function forwarded(ports, pairs) {
  if (!pairs.length) return ports;
  const to = new Map(pairs.map(([node, index, ...port]) => [`${node}:${index}`, port]));
  const found = [];
  for (let i = 0; i < ports.length; i += 2) {
    let port = [ports[i], ports[i + 1]];
    while (to.has(port.join(":"))) port = to.get(port.join(":"));
    found.push(...port);
  }
  return found;
}
