// Making elements, and writing numbers for people.

/**
 * An element: `h("button.wb-key", { onclick }, "Fit")`. Properties are set as properties where the element has them,
 * as attributes elsewhere; children are elements, texts, or nothing.
 * @param {string} spec tag and classes @param {object} [props] @param {...(Node|string|null|false)} children
 */
export function h(spec, props = {}, ...children) {
  const [tag, ...classes] = spec.split(".");
  const element = document.createElement(tag);
  if (classes.length) element.className = classes.join(" ");
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null) continue;
    if (name in element && name !== "list") element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(
    ...children.flat().filter((child) => child !== null && child !== false && child !== undefined),
  );
  return element;
}

/** The same for SVG: every property is an attribute. */
export function svg(tag, props = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(props)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Put `children` in the place of what `element` holds. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat().filter((child) => child || child === ""));
}

/** A push button with a label for readers of the screen. */
export function button(text, label, onclick, classes = "") {
  return h(
    "button.wb-button" + classes,
    { type: "button", title: label, ariaLabel: label, onclick },
    text,
  );
}

const ICONS = {
  play: "M4 2.5v11l9-5.5z",
  pause: "M4 3h3v10H4zM9 3h3v10H9z",
  back: "M10.5 3v10L4 8z",
  next: "M5.5 3v10L12 8z",
  first: "M3 3h2v10H3zM13 3v10L6 8z",
  last: "M11 3h2v10h-2zM3 3v10l7-5z",
  fit: "M2 2h4v1.5H3.5V6H2zM10 2h4v4h-1.5V3.5H10zM2 10h1.5v2.5H6V14H2zM12.5 10H14v4h-4v-1.5h2.5z",
};

/** A small picture for a button. */
export function icon(name) {
  return svg(
    "svg",
    { viewBox: "0 0 16 16", class: "wb-icon", "aria-hidden": "true" },
    svg("path", { d: ICONS[name] }),
  );
}

/** Buttons of which one is on: `choices` are [value, text] pairs. Returns the element; `.show(value)` marks one. */
export function switcher(label, choices, pick) {
  const buttons = choices.map(([value, text]) =>
    button(text, `${label}: ${text}`, () => pick(value)),
  );
  const element = h("div.wb-switch", { role: "group", ariaLabel: label }, ...buttons);
  element.show = (value) =>
    buttons.forEach((one, i) => one.setAttribute("aria-pressed", String(choices[i][0] === value)));
  return element;
}

/** A time: `1.2 ms`, with `–` for none. */
export function time(seconds) {
  if (!seconds && seconds !== 0) return "–";
  if (seconds === 0) return "";
  const [scale, unit] =
    seconds >= 1
      ? [1, "s"]
      : seconds >= 1e-3
        ? [1e3, "ms"]
        : seconds >= 1e-6
          ? [1e6, "µs"]
          : [1e9, "ns"];
  return `${+(seconds * scale).toPrecision(3)} ${unit}`;
}

/** A number in a few digits. */
export function num(value) {
  if (value === null || value === undefined) return "–";
  if (typeof value !== "number") return String(value);
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return String(value);
  const size = Math.abs(value);
  if (size >= 1e-3 && size < 1e6) return String(+value.toPrecision(4));
  return value.toExponential(2).replace(/\.?0*e\+?/, "e");
}

/** A number with the digits that a single value deserves. */
export function exact(value) {
  return typeof value === "number" ? String(+value.toPrecision(9)).replace("e+", "e") : num(value);
}

/** `1 node`, `2 nodes`. */
export function plural(count, noun) {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}

/** Keep the notebook's shortcuts away from what is typed here; Tab, Escape and Ctrl/Cmd go through. */
export function guardKeys(root) {
  const through = (event) =>
    event.key === "Tab" || event.key === "Escape" || event.ctrlKey || event.metaKey;
  for (const kind of ["keydown", "keypress", "keyup"])
    root.addEventListener(kind, (event) => through(event) || event.stopPropagation());
  root.dataset.lmSuppressShortcuts = "true";
}

export const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
