// What a device adds to the Profile tab: launches, the processor's time beside it, verdicts, and a timeline.

import { h, time } from "./dom.js";

const NODE = 0,
  DEVICE = 1,
  FORM = 2,
  START = 3,
  SECONDS = 4,
  PARENT = 5;

/** The columns of rows that `besides` has completed, or none where nothing ran on a device. */
export function columns(profile) {
  if (!profile.verdicts.length) return [];
  const spell = (name) => [name, (row) => row[name], (row) => time(row[name])];
  return [
    spell("device"),
    spell("launch"),
    spell("cpu"),
    ["pays off", (row) => row.pays],
  ];
}

/** What a device has to say of one node's row: `inner` rows have no counterpart on the processor. */
export function besides(profile, node, { median, launch, form, device, inner }) {
  const there = device !== "cpu";
  const [pays, why] = (!inner && profile.verdicts.find((one) => one[0] === node)?.slice(1)) || [null, ""];
  return {
    device: there ? median : null,
    launch: launch || null,
    cpu: there ? (!inner && form === "kernel" && profile.host[node]) || null : median,
    pays: pays === null ? "" : pays ? "yes" : "no",
    why,
  };
}

/** A lane for the kernels of each device and one for its bus: label and bar, in turn. */
export function timeline(profile, name, pick) {
  const lanes = new Map();
  for (const span of profile.spans) {
    const lane = `${span[DEVICE]} ${span[FORM] === "transfer" ? "bus" : "kernels"}`;
    lanes.set(lane, [...(lanes.get(lane) || []), span]);
  }
  const end = Math.max(...profile.spans.map((span) => span[START] + span[SECONDS]));
  return [...lanes].flatMap(([lane, spans]) => {
    const busy = spans.reduce((sum, span) => sum + span[SECONDS], 0);
    const told = `busy ${time(busy)} of ${time(end)}`;
    const label = `${lane}: ${told}`;
    return [
      h("span", { title: told }, lane),
      h(
        "div.wb-lane",
        { role: "img", ariaLabel: label },
        spans.map((span) => piece(span, end, name(key(span)), () => pick(key(span)))),
      ),
    ];
  });
}

const key = (span) => (span[PARENT] === null ? `${span[NODE]}` : `${span[PARENT]}/${span[NODE]}`);

function piece(span, end, name, onclick) {
  const share = span[SECONDS] / end;
  return h(
    span[FORM] === "transfer" ? "i.wb-span.wb-bus" : "i.wb-span",
    {
      style: `left:${(100 * span[START]) / end}%;width:${100 * share}%`,
      title: `${name} ${time(span[SECONDS])}, after ${time(span[START]) || "0 s"}`,
      onclick,
    },
    share > 0.09 ? name : "",
  );
}
