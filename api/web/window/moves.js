// What a change did to a ranked list.

import { el } from "./dom.js";

/** For each id of `after`: how many places it rose (or fell, below 0), or "new"; and what left the list. */
export function compare(before, after) {
  const place = new Map(before.map((id, index) => [id, index]));
  const moved = new Map(after.map((id, index) => [id, place.has(id) ? place.get(id) - index : "new"]));
  return { moved, left: before.filter((id) => !moved.has(id)) };
}

/** The sign beside a row; nothing for what stayed. */
export function sign(move) {
  if (move === undefined || move === 0) return null;
  if (move === "new") return el("span", { class: "move new" }, "new");
  const [kind, arrow, word] = move > 0 ? ["up", "▲", "up"] : ["down", "▼", "down"];
  const by = Math.abs(move);
  return el("span", { class: `move ${kind}` }, el("span", { "aria-hidden": "true" }, `${arrow}${by}`), el("span", { class: "unseen" }, `${word} ${by}`));
}

/** "2 up, 1 down, 1 new, 1 left"; empty where nothing moved. */
export function summary({ moved, left }) {
  const kinds = [...moved.values()];
  const counts = [
    [kinds.filter((one) => one > 0).length, "up"],
    [kinds.filter((one) => one < 0).length, "down"],
    [kinds.filter((one) => one === "new").length, "new"],
    [left.length, "left the list"],
  ];
  return counts.filter(([many]) => many).map(([many, word]) => `${many} ${word}`).join(", ");
}

/** The line above a list: what moved, against what, and a way back. */
export function line(compared, against, back) {
  const told = summary(compared);
  const said = told ? `${told}, compared with ${against}` : `The same order as with ${against}`;
  return el("div", { class: "moved" }, el("span", {}, said), back && el("button", { type: "button", class: "quiet", on: { click: back } }, "Reset"));
}
