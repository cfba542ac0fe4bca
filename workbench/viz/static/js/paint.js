// Drawing one box, one edge: everything that touches a canvas' context but knows nothing of cameras.

import { STATES } from "./theme.js";
import { CHOICE, isRandomState } from "./model.js";
import { HALF } from "./scene.js";

const LABEL = 12.5,
  CHIP = 12,
  SMALL = 10,
  READABLE = 6.5,
  READABLE_SMALL = 8.9;

/** @typedef {{state?: string, heat?: number, faded?: boolean, chosen?: boolean, linked?: boolean, found?: boolean,
 *   pale?: boolean, hover?: boolean, note?: string, tint?: {fill: string, line: string}}} Look */

/** Draw a box. @param {Look} look */
export function paintBox(ctx, box, look, theme, scale) {
  ctx.globalAlpha = (box.alpha ?? 1) * (look.faded ? 0.22 : look.pale ? 0.45 : 1);
  const kind = isScan(box.info) ? "scan" : box.info.k;
  const paint = look.tint || theme.states[look.state] || theme.kinds[kind] || theme.kinds.apply;
  const left = box.x - box.w / 2,
    top = box.y - box.h / 2;
  const radius = box.frame
    ? 10
    : kind === "input" || kind === "shared"
      ? HALF
      : kind === "constant"
        ? 2
        : 8;
  if (look.chosen || look.linked || look.found) halo(ctx, box, radius, look, theme);
  const sheet = box.info.x !== undefined && !box.frame;
  ctx.lineWidth = Math.max(look.state ? 1.8 : 1.2, 0.8 / scale);
  ctx.setLineDash(look.state === "removed" ? [5, 3] : []);
  for (const offset of sheet && scale > 0.3 ? [4, 0] : [0]) {
    outline(ctx, left + offset, top + offset, box.w, box.h, radius);
    ctx.fillStyle = box.frame ? theme.paper : paint.fill;
    ctx.fill();
    if (look.heat !== undefined && !offset) heated(ctx, look.heat, theme);
    ctx.strokeStyle = paint.line;
    ctx.stroke();
  }
  ctx.setLineDash([]);
  if (kind === "shared" && scale > 0.4) {
    outline(ctx, left + 3, top + 3, box.w - 6, box.h - 6, radius - 3);
    ctx.stroke();
  }
  if (box.frame) paintHead(ctx, box, theme, scale);
  else if (scale * LABEL >= READABLE) paintFace(ctx, box, look, theme, scale);
  if (look.state && scale > 0.35)
    badge(ctx, box.x + box.w / 2 - 2, top + 1, STATES[look.state], paint.line, theme);
  if (box.outs.length && scale > 0.5) outMark(ctx, box, theme, scale);
  ctx.globalAlpha = 1;
}

/** What a node is called: the user's name for it, and what it is. */
export function titled(info) {
  const what = info.l || info.o || "";
  const names = info.n?.filter((_, i) => !isRandomState(info.t[i])) || [];
  const name = info.k === "apply" && names.length === 1 && names[0];
  return name && name !== what ? `${name} = ${what}` : what;
}

export const isScan = (info) => /scan/i.test(info.o || "");
export const isFused = (info) =>
  info.x !== undefined && info.k === "apply" && !isScan(info) && info.o !== CHOICE;

function outline(ctx, x, y, w, h, radius) {
  ctx.beginPath();
  ctx.roundRect(x, y, w, h, Math.min(radius, w / 2, h / 2));
}

function halo(ctx, box, radius, look, theme) {
  const by = look.chosen ? 4 : 3;
  outline(
    ctx,
    box.x - box.w / 2 - by,
    box.y - box.h / 2 - by,
    box.w + 2 * by,
    box.h + 2 * by,
    radius + by,
  );
  ctx.lineWidth = look.chosen ? 3 : 2.4;
  ctx.strokeStyle = look.chosen || look.linked ? theme.accent : theme.match;
  ctx.setLineDash(look.chosen ? [] : look.linked ? [7, 4] : [2, 3]);
  ctx.stroke();
}

/** A wash of the hot colour; `heat` runs from 0 to 1. */
function heated(ctx, heat, theme) {
  const alpha = ctx.globalAlpha;
  ctx.globalAlpha = alpha * (0.06 + 0.8 * heat);
  ctx.fillStyle = theme.hot;
  ctx.fill();
  ctx.globalAlpha = alpha;
}

function paintHead(ctx, box, theme, scale) {
  if (scale * LABEL < READABLE) return;
  ctx.textAlign = "left";
  write(
    ctx,
    titled(box.info),
    box.x - box.w / 2 + 14,
    box.y - box.h / 2 + 21,
    `600 ${LABEL}px ${theme.font}`,
    theme.ink,
    box.w - 28,
  );
}

function paintFace(ctx, box, look, theme, scale) {
  const small = `${SMALL}px ${theme.font}`,
    chipFont = `${CHIP}px ${theme.font}`,
    bold = `600 ${LABEL}px ${theme.font}`;
  const note = scale * SMALL >= READABLE_SMALL && (look.note ?? subtitle(box.info));
  const baseline = note ? box.y - 3 : box.y + 4;
  ctx.font = chipFont;
  const chips = box.chips.map((chip) => ({
    text: chip[0],
    far: chip[3] & 1,
    leading: chip[3] & 2,
    node: chip[1],
    w: ctx.measureText(chip[0]).width + 10,
  }));
  ctx.font = bold;
  const room = box.w - 14 - chips.reduce((sum, chip) => sum + chip.w + 6, 0);
  const label = clip(ctx, titled(box.info) || `#${box.id}`, room);
  const width = ctx.measureText(label).width;
  let x = box.x - (width + chips.reduce((sum, chip) => sum + chip.w + 6, 0)) / 2;
  box.tags = []; // where a click goes to the node that a tag stands for
  const draw = (chip) => {
    paintChip(ctx, chip, x, baseline, theme, chipFont, scale);
    if (chip.far) box.tags.push({ x, y: baseline - 4, w: chip.w, node: chip.node });
    x += chip.w + 6;
  };
  chips.filter((chip) => chip.leading).forEach(draw);
  ctx.textAlign = "left";
  write(ctx, label, x, baseline, bold, theme.ink);
  x += width + 6;
  chips.filter((chip) => !chip.leading).forEach(draw);
  if (!note) return;
  ctx.textAlign = "center";
  write(ctx, note, box.x, box.y + 12, small, look.note ? theme.ink : theme.dim, box.w - 12);
}

function paintChip(ctx, chip, x, baseline, theme, font, scale) {
  outline(ctx, x, baseline - 12.5, chip.w, 17, 4);
  ctx.lineWidth = 1;
  ctx.strokeStyle = theme.edge;
  ctx.fillStyle = theme.chip;
  if (chip.far) ctx.stroke();
  else ctx.fill();
  ctx.textAlign = "center";
  if (scale * CHIP >= READABLE) write(ctx, chip.text, x + chip.w / 2, baseline, font, theme.ink);
}

function write(ctx, text, x, y, font, colour, room) {
  ctx.font = font;
  ctx.fillStyle = colour;
  ctx.fillText(room ? clip(ctx, text, room) : text, x, y);
}

/** `text`, cut with an ellipsis where it is wider than `room`. */
function clip(ctx, text, room) {
  if (ctx.measureText(text).width <= room) return text;
  let end = text.length;
  while (end > 1 && ctx.measureText(text.slice(0, end) + "…").width > room) end -= 1;
  return text.slice(0, end) + "…";
}

/** The type line of a box: `float64 [?, 3]`. */
export function subtitle(info) {
  if (info.k === "group") return info.d || "";
  if (!info.t?.length) return info.o || "";
  const more = info.t.length > 1 ? ` +${info.t.length - 1}` : "";
  const type = info.t.find((one) => !isRandomState(one)) || info.t[0];
  return type.replace("[]", "").replace("[", " [") + more + (info.v ? ` · ${info.v}` : "");
}

function badge(ctx, x, y, sign, colour, theme) {
  ctx.beginPath();
  ctx.arc(x, y, 7, 0, 7);
  ctx.fillStyle = colour;
  ctx.fill();
  ctx.textAlign = "center";
  write(ctx, sign, x, y + 4, `700 11px ${theme.font}`, theme.paper);
}

function outMark(ctx, box, theme, scale) {
  const x = box.x - box.w / 2 + 12,
    y = box.y + box.h / 2 + 5;
  ctx.beginPath();
  ctx.moveTo(x - 5, y);
  ctx.lineTo(x + 5, y);
  ctx.lineTo(x, y + 6);
  ctx.fillStyle = theme.ink;
  ctx.fill();
  if (scale * SMALL < READABLE_SMALL) return;
  ctx.textAlign = "left";
  const text = box.outs.length > 3 ? `${box.outs.length} outputs` : outText(box);
  write(ctx, text, x + 9, y + 7, `${SMALL}px ${theme.font}`, theme.dim);
}

/** Which outputs a box is: their numbers, or the branches of a choice. */
function outText(box) {
  if (!box.branches) return `out ${box.outs.join(", ")}`;
  const name = (i) => (i < box.branches ? "then" : "else");
  const number = (i) => (box.branches > 1 ? ` ${i % box.branches}` : "");
  return box.outs.map((i) => name(i) + number(i)).join(", ");
}

/** Draw an edge with its arrow. @param {{strong?: boolean, faded?: boolean}} look */
export function paintLine(ctx, { runs, alpha = 1 }, look, theme, scale) {
  ctx.globalAlpha = alpha * (look.faded ? 0.15 : 1);
  ctx.strokeStyle = ctx.fillStyle = look.strong ? theme.accent : theme.edge;
  ctx.lineWidth = look.strong ? 2 : Math.max(1.2, 0.6 / scale);
  const last = runs.length - 3;
  ctx.beginPath();
  ctx.moveTo(runs[0], runs[1]);
  ctx.lineTo(runs[0], runs[2]);
  for (let i = 3; i <= last; i += 3) {
    const end = runs[i + 1] - (i === last ? 5 : 0),
      middle = (runs[i - 1] + end) / 2;
    ctx.bezierCurveTo(runs[i - 3], middle, runs[i], middle, runs[i], end);
    ctx.lineTo(runs[i], runs[i + 2] - (i === last ? 5 : 0));
  }
  ctx.stroke();
  if (scale > 0.3) {
    const x = runs[last],
      y = runs[last + 1];
    ctx.beginPath();
    ctx.moveTo(x - 3.5, y - 6.5);
    ctx.lineTo(x + 3.5, y - 6.5);
    ctx.lineTo(x, y);
    ctx.fill();
  }
  ctx.globalAlpha = 1;
}
