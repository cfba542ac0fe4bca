// From a scene of the payload to what a stage draws: boxes and edges in one plane, opened nodes with their inside.

import { plural } from "./dom.js";
import { CHOICE } from "./model.js";

export const HALF = 21; // half the height of a box
const HEAD = 34,
  INSET = 10; // of an opened node's frame
const PITCH = 82;

/**
 * @typedef {{key: string, id: number, x: number, y: number, w: number, h: number, info: object, chips: Array,
 *   role: string, frame: boolean, outs: number[]}} Box
 * @typedef {{from: string, to: string, port: number, runs: number[]}} Line  runs: x, top, bottom of every vertical run
 * @typedef {{boxes: Box[], lines: Line[], w: number, h: number, byKey: Map<string, Box>, hidden: string[]}} View
 */

/** The view of scene `number`; nodes whose key is in `opened` show their inside. @returns {View} */
export function sceneView(data, number, side, opened = new Set()) {
  const view = place(data, number, opened, "", (id) => data.info(id, side));
  return finish(view, data.scenes[number].hidden);
}

function finish(view, hidden) {
  view.byKey = new Map(view.boxes.map((box) => [box.key, box]));
  view.hidden = hidden;
  view.readers = new Map();
  for (const line of view.lines) {
    if (!view.readers.has(line.from)) view.readers.set(line.from, []);
    view.readers.get(line.from).push(line.to);
  }
  return view;
}

function place(data, number, opened, prefix, outer, isChoice = false) {
  const scene = data.scenes[number];
  const insides = new Map();
  const boxes = scene.ids.map((id, i) => {
    const info = scene.nodes[id] || outer(id);
    const box = {
      id,
      key: prefix + id,
      info,
      x: scene.box[3 * i],
      y: scene.box[3 * i + 1],
      w: scene.box[3 * i + 2],
      h: 2 * HALF,
      chips: scene.chip[id] || [],
      role: scene.role[id] || "",
      outs: outputsOf(scene.out, id),
      branches: isChoice ? scene.out.length / 4 : 0, // the number of values that are chosen
    };
    if (info.x !== undefined && opened.has(box.key)) {
      const within = info.k === "group" ? prefix : `${box.key}/`;
      insides.set(box, place(data, info.x, opened, within, outer, info.o === CHOICE));
    }
    return box;
  });
  const byId = new Map(boxes.map((box) => [box.id, box]));
  const stretch = stretching(scene, boxes, insides);
  for (const box of boxes) box.home = { x: box.x, y: box.y };
  for (const box of boxes) {
    box.x = stretch.x(box.home.x, box.home.y);
    box.y = stretch.y(box.home.y);
  }
  const lines = scene.edge.map((edge) => line(edge, byId, prefix, insides, stretch));
  const inner = [];
  for (const [box, inside] of insides) inner.push(unfold(box, inside));
  return bounded(
    [...boxes, ...inner.flatMap((one) => one.boxes)],
    [...lines, ...inner.flatMap((one) => one.lines)],
  );
}

function outputsOf(ports, id) {
  const found = [];
  for (let i = 0; i < ports.length; i += 2) if (ports[i] === id) found.push(i / 2);
  return found;
}

/** How coordinates move to make room for opened nodes: apart within their row, and down below it. */
function stretching(scene, boxes, insides) {
  const rows = new Map();
  for (const [box, inside] of insides)
    rows.set(box.y, Math.max(rows.get(box.y) || 0, inside.h + HEAD + INSET - 2 * HALF));
  const widths = new Map(
    [...insides].map(([box, inside]) => [box, Math.max(box.w, inside.w + 2 * INSET)]),
  );
  const moved = new Map([...rows.keys()].map((y) => [y, spreadRow(scene, boxes, widths, y)]));
  const extra = (y) => rows.get(y) || 0;
  return {
    extra,
    x: (x, y) => moved.get(y)?.get(x) ?? x,
    y: (y) => [...rows].reduce((sum, [at, by]) => sum + (y > at + HALF + 2 ? by : 0), y),
  };
}

/** Where the boxes and passing edges of one row go: from old x to new x. */
function spreadRow(scene, boxes, widths, y) {
  const items = boxes
    .filter((box) => box.y === y)
    .map((box) => ({ x: box.x, room: (widths.get(box) || box.w) / 2 + 13 }));
  const lanes = new Set();
  for (const edge of scene.edge)
    for (let i = 6; i < edge.length - 2; i += 2) if (edge[i + 1] === y) lanes.add(edge[i]);
  items.push(...[...lanes].map((x) => ({ x, room: 9 })));
  items.sort((a, b) => a.x - b.x);
  return new Map(apart(items).map((x, i) => [items[i].x, x]));
}

/** The nearest places to `x` at which every item has its room (isotonic regression). */
function apart(items) {
  let offset = 0;
  const offsets = items.map(({ room }, i) => (offset += i ? items[i - 1].room + room : 0));
  const blocks = [];
  items.forEach(({ x }, i) => {
    let block = { mean: x - offsets[i], size: 1 };
    while (blocks.length && blocks.at(-1).mean > block.mean) {
      const { mean, size } = blocks.pop();
      block = {
        mean: (mean * size + block.mean * block.size) / (size + block.size),
        size: size + block.size,
      };
    }
    blocks.push(block);
  });
  return blocks
    .flatMap(({ mean, size }) => Array(size).fill(mean))
    .map((mean, i) => mean + offsets[i]);
}

/** An edge as vertical runs; between two runs it is drawn as a curve. */
function line(edge, byId, prefix, insides, stretch) {
  const [source, sourcePort, target, port, ...points] = edge;
  const from = byId.get(source),
    to = byId.get(target);
  const last = points.length - 2;
  const extra = stretch.extra(from.home.y);
  const runs = [
    from.x + points[0] - from.home.x,
    from.y + HALF + (insides.has(from) ? extra : 0),
    from.y + HALF + extra,
  ];
  for (let i = 2; i < last; i += 2) {
    const y = stretch.y(points[i + 1]);
    runs.push(
      stretch.x(points[i], points[i + 1]),
      y - HALF,
      y + HALF + stretch.extra(points[i + 1]),
    );
  }
  const top = to.y - HALF;
  runs.push(to.x + points[last] - to.home.x, top, top);
  return { from: prefix + source, to: prefix + target, port, sourcePort, runs };
}

/** Turn an opened box into a frame and move its inside into it. */
function unfold(box, inside) {
  const top = box.y - HALF;
  box.frame = true;
  box.w = Math.max(box.w, inside.w + 2 * INSET);
  box.h = inside.h + HEAD + INSET;
  box.y = top + box.h / 2;
  const dx = box.x - inside.w / 2,
    dy = top + HEAD;
  for (const one of inside.boxes) {
    one.x += dx;
    one.y += dy;
  }
  for (const one of inside.lines)
    for (let i = 0; i < one.runs.length; i += 3) {
      one.runs[i] += dx;
      one.runs[i + 1] += dy;
      one.runs[i + 2] += dy;
    }
  return inside;
}

function bounded(boxes, lines, margin = 16) {
  let left = Infinity,
    right = -Infinity,
    top = Infinity,
    bottom = -Infinity;
  for (const box of boxes) {
    left = Math.min(left, box.x - box.w / 2);
    right = Math.max(right, box.x + box.w / 2);
    top = Math.min(top, box.y - box.h / 2);
    bottom = Math.max(bottom, box.y + box.h / 2);
  }
  for (const { runs } of lines)
    for (let i = 0; i < runs.length; i += 3) {
      left = Math.min(left, runs[i]);
      right = Math.max(right, runs[i]);
    }
  if (!boxes.length) left = right = top = bottom = 0;
  for (const box of boxes) {
    box.x += margin - left;
    box.y += margin - top;
  }
  for (const { runs } of lines)
    for (let i = 0; i < runs.length; i += 3) {
      runs[i] += margin - left;
      runs[i + 1] += margin - top;
      runs[i + 2] += margin - top;
    }
  return { boxes, lines, w: right - left + 2 * margin, h: bottom - top + 2 * margin };
}

/** The view after `count` rewrites. Untouched edges keep the first scene's course. @returns {View} */
export function stepView(data, replay, count) {
  const state = replay.at(count);
  const scene = data.scenes[data.flat];
  const boxes = [...state.boxes].map(([id, [x, y, w]]) => ({
    id,
    key: `${id}`,
    info: state.forms.get(id) || data.nodes[id],
    x,
    y,
    w,
    h: 2 * HALF,
    chips: state.chips.get(id) || [],
    role: "",
    outs: outputsOf(state.out, id),
  }));
  const byId = new Map(boxes.map((box) => [box.id, box]));
  const known = (scene.known ||= new Map(
    scene.edge.map((edge) => [edge.slice(0, 4).join(), edge]),
  ));
  const rows = rowsOf(boxes);
  const lines = [],
    folded = new Set();
  const far = (box, node, index) =>
    box.chips.some((chip) => chip[3] & 1 && chip[1] === node && chip[2] === index);
  for (const [target, ports] of state.inputs)
    for (let i = 0; i < ports.length; i += 2) {
      const from = byId.get(ports[i]),
        to = byId.get(target);
      if (!from) folded.add(ports[i]);
      if (!from || !to || far(to, ports[i], ports[i + 1])) continue;
      const edge = known.get([ports[i], ports[i + 1], target, i / 2].join());
      const kept = edge && !state.moved.has(target) && !state.moved.has(ports[i]);
      lines.push({
        from: from.key,
        to: to.key,
        port: i / 2,
        runs: kept ? plain(edge) : course(from, to, i / 2, ports.length / 2, rows),
      });
    }
  const view = { boxes, lines, w: scene.size[0], h: scene.size[1] };
  for (const box of boxes) {
    view.w = Math.max(view.w, box.x + box.w / 2 + 16);
    view.h = Math.max(view.h, box.y + HALF + 16);
  }
  const tags = boxes.reduce((sum, box) => sum + box.chips.filter((chip) => chip[3] & 1).length, 0);
  const hidden = [];
  if (folded.size) hidden.push(`${plural(folded.size, "constant")} folded into readers`);
  if (tags) hidden.push(`${plural(tags, "long edge")} as ↑ tags`);
  return finish(view, hidden);
}

function plain(edge) {
  const points = edge.slice(4),
    runs = [points[0], points[1], points[1]];
  for (let i = 2; i < points.length - 2; i += 2)
    runs.push(points[i], points[i + 1] - HALF, points[i + 1] + HALF);
  const [x, y] = points.slice(-2);
  return [...runs, x, y, y];
}

function rowsOf(boxes) {
  const rows = new Map();
  for (const box of boxes) {
    if (!rows.has(box.y)) rows.set(box.y, []);
    rows.get(box.y).push(box);
  }
  for (const row of rows.values()) row.sort((a, b) => a.x - b.x);
  return rows;
}

/** A way from one box down to another: through the gap of each row that is nearest to its end. */
function course(from, to, port, ports, rows) {
  const end = to.x + Math.min(18, (0.6 * to.w) / ports) * (port - (ports - 1) / 2);
  const runs = [from.x, from.y + HALF, from.y + HALF];
  for (let y = from.y + PITCH; y < to.y - 1; y += PITCH)
    runs.push(gap(rows.get(y) || [], end), y - HALF, y + HALF);
  return [...runs, end, to.y - HALF, to.y - HALF];
}

function gap(row, wanted) {
  let best = Infinity,
    right = -Infinity;
  const closer = (x) => (Math.abs(x - wanted) < Math.abs(best - wanted) ? x : best);
  for (const box of row) {
    const left = box.x - box.w / 2 - 8;
    if (right <= left) best = closer(Math.min(Math.max(wanted, right), left));
    right = box.x + box.w / 2 + 8;
  }
  return closer(Math.max(wanted, right));
}
