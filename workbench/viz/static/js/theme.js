// Colours: the style sheet holds them all; a canvas has to read them, and again when the theme changes.

export const STATES = { removed: "−", added: "+", replaced: "→", fused: "◆", changed: "~", failed: "!" };
// The font that the boxes' widths were estimated for, whatever the page's own is.
const FONT = '"Helvetica Neue", Helvetica, Arial, "Liberation Sans", "DejaVu Sans", sans-serif';
const KINDS = ["input", "shared", "constant", "apply", "scan", "group"];
const ROLES = ["sequence", "recurrent", "non_sequence", "shared", "output"];

/** Whether the page around is dark: JupyterLab, VS Code, else the system. */
function isDark() {
  const body = document.body;
  if (body.dataset.jpThemeLight) return body.dataset.jpThemeLight === "false";
  if (body.classList.contains("vscode-dark")) return true;
  if (body.classList.contains("vscode-light")) return false;
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

/** The colours that a canvas needs, from the computed style of `root`. */
export function readTheme(root) {
  root.classList.toggle("wb-dark", isDark());
  const style = getComputedStyle(root);
  const colour = (name) => style.getPropertyValue(`--wb-${name}`).trim();
  const pair = (name) => ({ fill: colour(`${name}-fill`), line: colour(name) });
  const all = (names) => Object.fromEntries(names.map((name) => [name, pair(name)]));
  return {
    paper: colour("paper"),
    ink: colour("ink"),
    dim: colour("dim"),
    edge: colour("edge"),
    frame: colour("frame"),
    accent: colour("accent"),
    chip: colour("chip"),
    match: colour("match"),
    hot: colour("hot"),
    kinds: all(KINDS),
    states: all(Object.keys(STATES)),
    roles: all(ROLES),
    font: FONT,
  };
}

/** The colours of a loop's port by its role; undefined for other boxes. */
export function roleTint(box, theme) {
  return box.role ? theme.roles[box.role.startsWith("out ") ? "output" : box.role] : undefined;
}

/** Call `changed` whenever the theme around does. Returns a function that stops it. */
export function watchTheme(changed) {
  const observer = new MutationObserver(changed);
  observer.observe(document.body, {
    attributes: true,
    attributeFilter: ["data-jp-theme-name", "data-jp-theme-light", "class"],
  });
  const media = matchMedia("(prefers-color-scheme: dark)");
  media.addEventListener("change", changed);
  return () => {
    observer.disconnect();
    media.removeEventListener("change", changed);
  };
}
