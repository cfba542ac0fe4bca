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
    let done = Math.max(...[...this.kept.keys()].filter((k) => k <= count));
    const state = copied(this.kept.get(done));
    while (done < count) {
      this.advance(state, this.data.steps[done]);
      done += 1;
      if (done % KEEP_EVERY === 0) this.kept.set(done, copied(state));
    }
    return state;
  }

  advance(state, step) {
    state.out = forwarded(state.out, step.re || []);
    for (const id of step.rm || [])
      for (const table of [state.boxes, state.inputs, state.chips]) table.delete(id);
    for (const [id, ports] of Object.entries(step.in || {})) state.inputs.set(+id, ports);
    for (const [id, chips] of Object.entries(step.chip || {})) state.chips.set(+id, chips);
    for (const [id, box] of Object.entries(step.box || {})) {
      state.boxes.set(+id, box);
      state.moved.add(+id);
    }
    for (const id of step.ch || []) state.forms.set(id, this.data.last[id]);
  }
}

/** A state of its own: what it holds is shared, as a step puts new things in and changes none. */
function copied({ boxes, inputs, chips, forms, moved, out }) {
  return {
    boxes: new Map(boxes),
    inputs: new Map(inputs),
    chips: new Map(chips),
    forms: new Map(forms),
    moved: new Set(moved),
    out,
  };
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
