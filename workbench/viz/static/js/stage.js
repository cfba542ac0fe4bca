// A canvas with a camera: panning, zooming, picking, the minimap, the keyboard. It draws a view and decides nothing.

import { button, h, icon, still } from "./dom.js";
import { MiniMap } from "./minimap.js";
import { paintBox, paintLine } from "./paint.js";

const FIRST_SCALE = 0.75; // labels and chips are 9 pixels high then; smaller texts wait
const MOST = 2.5,
  LEAST = 0.04,
  GLIDE = 220;

/** How far to move what is at `middle` and reaches `half` to either side, so that it is well within `size`. */
function shift(middle, half, size) {
  const margin = half + Math.min(56, Math.max(0, size / 2 - half));
  if (middle - half >= 8 && middle + half <= size - 8) return 0;
  return Math.min(Math.max(middle, margin), Math.max(margin, size - margin)) - middle;
}

/**
 * @typedef {{label: string, least?: number, look: (box) => object, lineLook?: (line) => object, pick: (key: string) => void,
 *   hover?: (key: string) => void, open?: (key: string) => void, camera?: (move) => void, search?: () => void}} Hooks
 */
export class Stage {
  /** @param {Hooks} hooks */
  constructor(theme, hooks) {
    this.theme = theme;
    this.hooks = hooks;
    this.camera = { x: 0, y: 0, k: 1 };
    this.view = {
      boxes: [],
      lines: [],
      w: 1,
      h: 1,
      byKey: new Map(),
      readers: new Map(),
      hidden: [],
    };
    this.canvas = h("canvas.wb-canvas", { tabIndex: 0, role: "img", ariaLabel: hooks.label });
    this.canvas.dataset.lmSuppressShortcuts = "true";
    this.map = new MiniMap(theme, { look: hooks.look, jump: (x, y) => this.center(x, y) });
    this.caption = h("div.wb-caption");
    const zooms = h(
      "div.wb-zoom",
      {},
      button("+", "Zoom in", () => this.zoom(1.3)),
      button("−", "Zoom out", () => this.zoom(1 / 1.3)),
      button(icon("fit"), "Fit all (f)", () => this.fit(true)),
    );
    this.area = h("div.wb-area", {}, this.canvas, this.map.element);
    this.element = h("div.wb-stage", {}, h("div.wb-strip", {}, this.caption, zooms), this.area);
    this.element.stage = this; // for tests, and the curious with a console
    this.listen();
    this.resizing = new ResizeObserver(() => this.resize());
    this.resizing.observe(this.area);
  }

  // ---- what is shown

  /** Show a view; boxes that are elsewhere than before glide there, new ones fade in. */
  show(view, { animate = false, reset = false } = {}) {
    const old = this.view.byKey;
    this.view = view;
    this.map.forget();
    if (reset) this.pending = true;
    if (this.pending && this.width) this.openReadably();
    if (animate && !still() && old.size) this.glide(old);
    else this.draw();
  }

  glide(old) {
    const start = performance.now();
    const moving = this.view.boxes
      .map((box) => ({ box, from: old.get(box.key), x: box.x, y: box.y }))
      .filter(({ from, x, y }) => !from || from.x !== x || from.y !== y);
    const fresh = new Set(moving.map(({ box }) => box.key));
    const lines = this.view.lines.filter((line) => fresh.has(line.from) || fresh.has(line.to));
    const tick = (now) => {
      const t = Math.min(1, (now - start) / GLIDE),
        eased = t * (2 - t);
      for (const { box, from, x, y } of moving) {
        box.x = from ? from.x + (x - from.x) * eased : x;
        box.y = from ? from.y + (y - from.y) * eased : y;
        box.alpha = from ? 1 : eased;
      }
      for (const line of lines) line.alpha = eased;
      this.paint();
      if (t < 1) this.frame = requestAnimationFrame(tick);
    };
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(tick);
  }

  /** Where a node is on the screen, from the stage's corner. */
  locate(key) {
    const { x, y, k } = this.camera,
      box = this.view.byKey.get(key);
    return box && [box.x * k + x, box.y * k + y];
  }

  // ---- the camera

  resize() {
    const { clientWidth: width, clientHeight: height } = this.area;
    if (!width || !height) return;
    const ratio = window.devicePixelRatio || 1;
    const first = !this.width;
    Object.assign(this, { width, height, ratio });
    this.canvas.width = Math.floor(width * ratio);
    this.canvas.height = Math.floor(height * ratio);
    this.canvas.style.width = `${this.canvas.width / ratio}px`; // whole pixels: no blur
    this.canvas.style.height = `${this.canvas.height / ratio}px`;
    if (first || this.pending || !this.touched) this.openReadably();
    this.paint();
  }

  /** All of the picture where that is readable, else its outputs at a readable scale. */
  openReadably() {
    this.pending = !this.width;
    this.touched = false;
    const least = this.hooks.least || FIRST_SCALE;
    if (!this.width || this.fitScale() >= least) return this.fit();
    const home = this.view.byKey.get(this.home) || this.lowestOutput();
    const k = least;
    const narrow = this.view.w * k <= this.width;
    const x = narrow ? this.view.w / 2 : (home?.x ?? 0);
    const low = this.home ? this.height / 2 : this.height - 80;
    this.camera = { k, x: this.width / 2 - x * k, y: low - (home?.y ?? 0) * k };
    if (!narrow)
      this.camera.x = Math.min(20, Math.max(this.width - this.view.w * k - 20, this.camera.x));
    if (this.view.h * k <= this.height) this.camera.y = (this.height - this.view.h * k) / 2;
    this.draw();
  }

  lowestOutput() {
    const last = this.view.boxes.filter((box) => box.outs.length);
    return (
      last.reduce((lowest, box) => (!lowest || box.y > lowest.y ? box : lowest), null) ||
      this.view.boxes.at(-1)
    );
  }

  fitScale() {
    return Math.min(this.width / this.view.w, this.height / this.view.h, 1.15);
  }

  fit(told = false) {
    if (told) this.hooks.camera?.({ fit: true });
    const k = Math.max(LEAST, this.fitScale());
    const { w, h: tall } = this.view;
    this.camera = { k, x: (this.width - w * k) / 2, y: (this.height - tall * k) / 2 };
    this.draw();
  }

  /** Zoom around a point of the screen. */
  zoom(by, x = this.width / 2, y = this.height / 2, told = true) {
    this.touched = true;
    const k = Math.min(MOST, Math.max(LEAST, this.camera.k * by));
    const factor = k / this.camera.k;
    this.camera = { k, x: x - (x - this.camera.x) * factor, y: y - (y - this.camera.y) * factor };
    if (told) this.hooks.camera?.({ zoom: by });
    this.draw();
  }

  pan(dx, dy, told = true) {
    this.touched = true;
    this.camera.x += dx;
    this.camera.y += dy;
    if (told) this.hooks.camera?.({ dx, dy });
    this.draw();
  }

  /** Move as another stage did. */
  follow({ zoom, fit, dx, dy }) {
    if (fit) this.fit();
    else if (zoom) this.zoom(zoom, this.width / 2, this.height / 2, false);
    else this.pan(dx, dy, false);
  }

  /** Bring a node into sight, if it is not. */
  reveal(key) {
    const box = this.view.byKey.get(key);
    if (!box || !this.width) return;
    const k = this.camera.k < 0.5 ? FIRST_SCALE : this.camera.k;
    const x = box.x * k + this.camera.x,
      y = box.y * k + this.camera.y;
    const away =
      k !== this.camera.k ||
      Math.abs(x - this.width / 2) > this.width ||
      Math.abs(y - this.height / 2) > this.height;
    if (away) this.camera = { k, x: this.width / 2 - box.x * k, y: this.height / 2 - box.y * k };
    else {
      this.camera.x += shift(x, (box.w / 2) * k, this.width);
      this.camera.y += shift(y, (box.h / 2) * k, this.height);
    }
    if (this.view.w * k > this.width)
      this.camera.x = Math.min(20, Math.max(this.width - this.view.w * k - 20, this.camera.x));
    this.touched = true;
    this.draw();
  }

  // ---- drawing

  draw() {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.paint());
  }

  paint() {
    if (!this.width) return;
    const { x, y, k } = this.camera,
      ctx = this.canvas.getContext("2d");
    ctx.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    ctx.clearRect(0, 0, this.width, this.height);
    ctx.setTransform(
      this.ratio * k,
      0,
      0,
      this.ratio * k,
      Math.round(this.ratio * x),
      Math.round(this.ratio * y),
    );
    ctx.lineJoin = "round";
    const left = -x / k - 20,
      top = -y / k - 20,
      right = (this.width - x) / k + 20,
      bottom = (this.height - y) / k + 20;
    const inSight = (box) =>
      box.x + box.w / 2 > left &&
      box.x - box.w / 2 < right &&
      box.y + box.h / 2 > top &&
      box.y - box.h / 2 < bottom;
    const boxes = this.view.boxes.filter(inSight);
    const draw = (box) => paintBox(ctx, box, this.hooks.look(box), this.theme, k);
    boxes.filter((box) => box.frame).forEach(draw);
    const strong = [];
    for (const line of this.view.lines) {
      const { runs } = line;
      if (runs[1] > bottom || runs[runs.length - 1] < top) continue;
      const look = this.hooks.lineLook?.(line) || {};
      if (look.strong) strong.push([line, look]);
      else paintLine(ctx, line, look, this.theme, k);
    }
    for (const [line, look] of strong) paintLine(ctx, line, look, this.theme, k);
    boxes.filter((box) => !box.frame).forEach(draw);
    const seen = { left: left + 20, top: top + 20, right: right - 20, bottom: bottom - 20 };
    this.map.paint(this.view, seen, this.width);
  }

  // ---- hands and keys

  listen() {
    const { canvas } = this;
    canvas.addEventListener("pointerdown", (event) => this.press(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    canvas.addEventListener("pointerup", (event) => this.release(event));
    canvas.addEventListener("pointerleave", () => this.hooks.hover?.(""));
    canvas.addEventListener("dblclick", (event) => this.openAt(this.at(event)));
    canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    canvas.addEventListener("keydown", (event) => this.key(event));
  }

  /** The box under the pointer, the innermost one. */
  at({ offsetX, offsetY }) {
    const x = (offsetX - this.camera.x) / this.camera.k,
      y = (offsetY - this.camera.y) / this.camera.k;
    return this.view.boxes.findLast(
      (box) => Math.abs(box.x - x) <= box.w / 2 + 2 && Math.abs(box.y - y) <= box.h / 2 + 2,
    );
  }

  /** The node that the tag under the pointer stands for. */
  tagAt(event, box) {
    const x = (event.offsetX - this.camera.x) / this.camera.k,
      y = (event.offsetY - this.camera.y) / this.camera.k;
    const tag = box?.tags?.find(
      (one) => x >= one.x && x <= one.x + one.w && Math.abs(y - one.y) < 9,
    );
    return tag && box.key.replace(/[^/]+$/, tag.node);
  }

  press(event) {
    this.held = { x: event.clientX, y: event.clientY, moved: false };
    this.canvas.setPointerCapture(event.pointerId);
  }

  move(event) {
    if (!this.held) {
      const box = this.at(event);
      this.canvas.style.cursor = box ? "pointer" : "grab";
      return this.hooks.hover?.(this.tagAt(event, box) || box?.key || "");
    }
    const dx = event.clientX - this.held.x,
      dy = event.clientY - this.held.y;
    if (!this.held.moved && Math.hypot(dx, dy) < 4) return undefined;
    Object.assign(this.held, { x: event.clientX, y: event.clientY, moved: true });
    this.canvas.style.cursor = "grabbing";
    return this.pan(dx, dy);
  }

  release(event) {
    const box = this.at(event);
    if (this.held && !this.held.moved) this.hooks.pick(this.tagAt(event, box) || box?.key || "");
    this.held = null;
  }

  openAt(box) {
    if (box?.info.x !== undefined) this.hooks.open?.(box.key);
  }

  /** The wheel zooms where the canvas has the focus or Ctrl is held, so that a page with us in it still scrolls. */
  wheel(event) {
    if (
      !event.ctrlKey &&
      document.activeElement !== this.canvas &&
      this.canvas.getRootNode().activeElement !== this.canvas
    )
      return;
    event.preventDefault();
    this.zoom(Math.exp(-event.deltaY / 300), event.offsetX, event.offsetY);
  }

  /** Show a point of the picture in the middle. */
  center(x, y) {
    const { k } = this.camera;
    this.pan(this.width / 2 - x * k - this.camera.x, this.height / 2 - y * k - this.camera.y);
  }

  key(event) {
    const act = {
      "+": () => this.zoom(1.25),
      "=": () => this.zoom(1.25),
      "-": () => this.zoom(0.8),
      0: () => this.fit(true),
      f: () => this.fit(true),
      "/": () => this.hooks.search?.(),
      Escape: () => this.hooks.pick(""),
      Enter: () => this.openAt(this.view.byKey.get(this.cursor)),
      " ": () => this.openAt(this.view.byKey.get(this.cursor)),
    }[event.key];
    if (act) act();
    else if (event.key.startsWith("Arrow")) this.walk(event.key.slice(5));
    else return;
    event.preventDefault();
  }

  /** Move the choice along edges (up, down) or within the row (left, right). */
  walk(direction) {
    const { boxes, lines, byKey } = this.view;
    const here = byKey.get(this.cursor);
    let next = here ? null : boxes.findLast((box) => box.outs.length) || boxes.at(-1);
    if (here && direction === "Up")
      next = byKey.get(lines.find((line) => line.to === here.key)?.from);
    if (here && direction === "Down")
      next = byKey.get(lines.find((line) => line.from === here.key)?.to);
    if (here && (direction === "Left" || direction === "Right")) {
      const side = direction === "Left" ? -1 : 1;
      const row = boxes.filter(
        (box) => Math.abs(box.y - here.y) < 4 && (box.x - here.x) * side > 0,
      );
      next = row.sort((a, b) => (a.x - b.x) * side)[0];
    }
    if (next) this.hooks.pick(next.key);
  }

  dispose() {
    cancelAnimationFrame(this.frame);
    this.resizing.disconnect();
  }
}
