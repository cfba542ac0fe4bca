// A table whose columns sort; rows are chosen by click, Enter or arrows.

import { fill, h } from "./dom.js";

/**
 * @param {Array<[string, (row) => any]>} columns  @param {Array<{key: string}>} rows
 * @param {{label: string, cell: (value, name, row) => any, mark?: (row) => string, pick: (row) => void, sort?: number}} acts
 */
export function sortable(columns, rows, acts) {
  let by = acts.sort ?? -1,
    down = true,
    shown = rows;
  const body = h("tbody");
  const lines = new Map(rows.map((row) => [row, line(row)]));

  function line(row) {
    const cells = columns.map(([name, read]) => {
      const value = read(row);
      const plainText = typeof value === "string";
      return h(plainText ? "td" : "td.wb-right", { title: plainText ? value : "" }, acts.cell(value, name, row));
    });
    const element = h(
      "tr",
      { tabIndex: -1, onclick: () => acts.pick(row), className: acts.mark?.(row) || "" },
      ...cells,
    );
    element.dataset.key = row.key;
    element.addEventListener("keydown", (event) => step(event, element, row));
    return element;
  }

  function step(event, element, row) {
    const next = { ArrowDown: element.nextElementSibling, ArrowUp: element.previousElementSibling }[
      event.key
    ];
    if (event.key === "Enter" || event.key === " ") acts.pick(row);
    else if (!next) return;
    next?.focus();
    event.preventDefault();
  }

  function order() {
    const read = by >= 0 && columns[by][1];
    const rank = (value) =>
      value === null || value === undefined || value === "nan"
        ? -Infinity
        : value === "inf"
          ? Infinity
          : value;
    const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0) * (down ? -1 : 1);
    const sorted = read ? shown.toSorted((a, b) => compare(rank(read(a)), rank(read(b)))) : shown;
    fill(
      body,
      sorted.map((row) => lines.get(row)),
    );
    heads.forEach((head, i) =>
      head.setAttribute("aria-sort", i !== by ? "none" : down ? "descending" : "ascending"),
    );
    if (body.firstElementChild) body.firstElementChild.tabIndex = 0;
  }

  const heads = columns.map(([name, read], i) =>
    h(
      rows.length && typeof read(rows[0]) !== "string" ? "th.wb-right" : "th",
      { scope: "col" },
      h(
        "button",
        {
          type: "button",
          onclick: () => {
            down = by === i ? !down : true;
            by = i;
            order();
          },
        },
        name,
      ),
    ),
  );
  order();
  return {
    element: h(
      "table.wb-table",
      { ariaLabel: acts.label },
      h("thead", {}, h("tr", {}, ...heads)),
      body,
    ),
    filter(holds) {
      shown = rows.filter(holds);
      order();
    },
    choose(key) {
      for (const [row, element] of lines) {
        const chosen = row.key === key;
        element.setAttribute("aria-selected", String(chosen));
        if (chosen && element.isConnected) element.scrollIntoView({ block: "nearest" });
      }
    },
  };
}
