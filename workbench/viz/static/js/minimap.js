// The whole picture in little, in a corner of a stage: where one is, and a way to go elsewhere.

import { h } from "./dom.js";

const LARGE = { width: 124, height: 92 },
  SMALL = { width: 76, height: 76 };
const NARROW = 460; // pixels of a stage

/** @param {{jump: (x: number, y: number) => void, look: (box) => object}} hooks `jump` gets a point of the picture */
export class MiniMap {
  constructor(theme, { jump, look }) {
    this.theme = theme;
    this.look = look;
    this.element = h("canvas.wb-map", { ariaHidden: "true" });
    const go = (event) =>
      event.buttons && jump(event.offsetX / this.scale, event.offsetY / this.scale);
    this.element.addEventListener("pointerdown", go);
    this.element.addEventListener("pointermove", go);
  }

  /** Another view is shown, or the same in other colours. */
  forget() {
    this.image = null;
  }

  /** Draw `view` with a frame around what is seen of it; nothing where all of it is. */
  paint(view, seen, stageWidth) {
    const whole = seen.left <= 0 && seen.top <= 0 && seen.right >= view.w && seen.bottom >= view.h;
    this.element.hidden = whole || !view.boxes.length;
    if (this.element.hidden) return;
    const room = stageWidth < NARROW ? SMALL : LARGE;
    const scale = Math.min(room.width / view.w, room.height / view.h);
    const [wide, tall] = [Math.ceil(view.w * scale), Math.ceil(view.h * scale)];
    if (this.element.width !== wide || this.element.height !== tall) {
      Object.assign(this.element, { width: wide, height: tall });
      this.forget();
    }
    this.scale = scale;
    this.image ||= this.draw(view);
    const ctx = this.element.getContext("2d");
    ctx.clearRect(0, 0, wide, tall);
    ctx.drawImage(this.image, 0, 0);
    this.frame(ctx, seen, wide, tall);
  }

  frame(ctx, { left, top, right, bottom }, wide, tall) {
    const within = (value, most) => Math.max(1, Math.min(value * this.scale, most - 1));
    const x = within(left, wide),
      y = within(top, tall);
    ctx.strokeStyle = this.theme.accent;
    ctx.lineWidth = 1.5;
    ctx.strokeRect(x, y, within(right, wide) - x, within(bottom, tall) - y);
  }

  draw(view) {
    const { width, height } = this.element;
    const image = h("canvas", { width, height });
    const ctx = image.getContext("2d");
    for (const box of view.boxes) {
      const { state } = this.look(box);
      ctx.strokeStyle = ctx.fillStyle = state ? this.theme.states[state].line : this.theme.edge;
      ctx[box.frame ? "strokeRect" : "fillRect"](
        (box.x - box.w / 2) * this.scale,
        (box.y - box.h / 2) * this.scale,
        Math.max(1.5, box.w * this.scale),
        Math.max(1, box.h * this.scale),
      );
    }
    return image;
  }
}
