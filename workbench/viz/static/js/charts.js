// Small charts: a histogram, a line over iterations, a heat map, a bar in parts.

import { h, num, svg, time } from "./dom.js";

/** Bars of counts over the range from `low` to `high`. */
export function histogram(counts, low, high, width = 232, height = 54) {
  if (!counts.length) return null;
  const most = Math.max(...counts, 1),
    step = width / counts.length;
  const bars = counts.map((count, i) => {
    const tall = count ? Math.max(1.5, (count / most) * height) : 0;
    return svg("rect", {
      x: i * step + 0.5,
      y: height - tall,
      width: Math.max(1, step - 1),
      height: tall,
      class: "wb-bin",
    });
  });
  const label = `histogram, ${counts.length} bins from ${num(low)} to ${num(high)}`;
  const chart = svg(
    "svg",
    { viewBox: `0 0 ${width} ${height}`, class: "wb-histogram", role: "img", "aria-label": label },
    ...bars,
  );
  return h(
    "div",
    {},
    chart,
    h("div.wb-axis", {}, h("span", {}, num(low)), h("span", {}, num(high))),
  );
}

/** A histogram for a table's cell. */
export function tiny(counts, width = 64, height = 16) {
  const most = Math.max(...counts, 1),
    step = width / counts.length;
  return svg(
    "svg",
    { viewBox: `0 0 ${width} ${height}`, class: "wb-tiny", "aria-hidden": "true" },
    ...counts.map((count, i) =>
      svg("rect", {
        x: i * step,
        y: height * (1 - count / most),
        width: step * 0.85,
        height: (height * count) / most,
        class: "wb-bin",
      }),
    ),
  );
}

/** A line of `values` (null and texts are gaps), with a band from `lows` to `highs`, and a cursor at `at`. */
export function series(values, lows, highs, at, pick, width = 520, height = 96) {
  const finite = [...values, ...lows, ...highs].filter((value) => typeof value === "number");
  const low = Math.min(...finite, 0 * finite[0] || 0),
    high = Math.max(...finite);
  const span = high - low || 1;
  const x = (i) => 4 + ((width - 8) * i) / Math.max(1, values.length - 1);
  const y = (value) => 4 + (height - 8) * (1 - (value - low) / span);
  const parts = runs(values).map((run) =>
    svg("polyline", {
      class: "wb-line",
      points: run.map((i) => `${x(i)},${y(values[i])}`).join(" "),
    }),
  );
  const bands = runs(values).map((run) => {
    const edge = [...run.map((i) => [i, highs[i]]), ...run.toReversed().map((i) => [i, lows[i]])];
    return svg("polygon", {
      class: "wb-band",
      points: edge.map(([i, v]) => `${x(i)},${y(v)}`).join(" "),
    });
  });
  const gaps = values.flatMap((v, i) =>
    typeof v === "number" || v === null
      ? []
      : [svg("rect", { class: "wb-bad", x: x(i) - 2, y: 0, width: 4, height })],
  );
  const cursor = svg("line", { class: "wb-cursor", x1: x(at), x2: x(at), y1: 0, y2: height });
  const chart = svg(
    "svg",
    {
      viewBox: `0 0 ${width} ${height}`,
      class: "wb-series",
      role: "img",
      preserveAspectRatio: "none",
      "aria-label": `${values.length} iterations, from ${num(low)} to ${num(high)}`,
    },
    ...bands,
    ...gaps,
    ...parts,
    cursor,
  );
  chart.addEventListener("pointerdown", (event) => {
    const { left, width: wide } = chart.getBoundingClientRect();
    pick(Math.round(((event.clientX - left) / wide) * (values.length - 1)));
  });
  return h(
    "div",
    {},
    chart,
    h("div.wb-axis", {}, h("span", {}, `${num(low)} … ${num(high)}`), h("span", {}, `t = ${at}`)),
  );
}

/** The indices of numbers in `values`, in unbroken runs. */
function runs(values) {
  const found = [[]];
  values.forEach((value, i) =>
    typeof value === "number" ? found.at(-1).push(i) : found.at(-1).length && found.push([]),
  );
  return found.filter((run) => run.length);
}

/** A picture of a table of numbers (rows of columns); `theme` gives the colours. */
export function heatmap(rows, theme, label, mark = -1) {
  const height = rows.length,
    width = Math.max(...rows.map((row) => row.length), 1);
  const finite = rows.flat().filter((value) => typeof value === "number");
  const most = finite.reduce((top, value) => Math.max(top, Math.abs(value)), 0) || 1;
  const canvas = h("canvas.wb-heat", {
    width,
    height,
    role: "img",
    ariaLabel: `${label}: ${height} × ${width}, up to ±${num(most)}`,
  });
  const ctx = canvas.getContext("2d");
  rows.forEach((row, r) =>
    row.forEach((value, c) => {
      ctx.globalAlpha = 1;
      ctx.fillStyle = theme.paper;
      ctx.fillRect(c, r, 1, 1);
      if (typeof value === "number") ctx.globalAlpha = Math.min(1, Math.abs(value) / most);
      ctx.fillStyle =
        typeof value !== "number"
          ? theme.states.fused.line
          : value < 0
            ? theme.kinds.input.line
            : theme.hot;
      ctx.fillRect(c, r, 1, 1);
    }),
  );
  const cursor =
    mark < 0 ? null : h("div.wb-heat-cursor", { style: `left:${(100 * (mark + 0.5)) / width}%` });
  return h(
    "div.wb-heat-frame",
    {},
    canvas,
    cursor,
    h(
      "div.wb-axis",
      {},
      h("span.wb-minus", {}, `−${num(most)}`),
      h("span", {}, label),
      h("span.wb-plus", {}, `+${num(most)}`),
    ),
  );
}

/** One bar divided in parts: [name, seconds] each. */
export function stacked(parts, label) {
  const total = parts.reduce((sum, [, seconds]) => sum + seconds, 0) || 1;
  const pieces = parts.map(([name, seconds], i) => {
    const share = seconds / total;
    const text = `${name} ${time(seconds)} (${Math.round(100 * share)}%)`;
    return h(
      "div.wb-piece",
      { style: `flex:${Math.max(share, 0.004)} 0 0;--i:${i}`, title: text },
      share > 0.09 ? h("span", {}, name, " ", h("b", {}, time(seconds))) : "",
    );
  });
  return h(
    "div.wb-stacked",
    {
      role: "img",
      ariaLabel: `${label}: ${parts.map(([name, s]) => `${name} ${time(s)}`).join(", ")}`,
    },
    ...pieces,
  );
}
