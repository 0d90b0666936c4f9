// What a shopper had last, by day.

import { el, named, onDay, titleOf, when } from "./dom.js";

const WORDS = { purchase: "bought", view: "viewed", click: "clicked", cart: "in the cart", rating: "rated", review: "reviewed" };

export const kindWord = (kind) => WORDS[kind] ?? kind ?? "";

/**
 * @param items of GET /users/{user}/history
 * @param linkTo item id -> address
 * @param fresh ids that came just now
 * @param more called for older ones; null where there are none
 */
export function timeline(items, linkTo, fresh, more) {
  if (!items.length) return el("p", { class: "hint" }, "Nothing yet: no event of this shopper is known.");
  const days = [];
  for (const one of items) {
    const day = one.last_time ? onDay(one.last_time) : "No date";
    if (days.at(-1)?.day !== day) days.push({ day, time: one.last_time, items: [] });
    days.at(-1).items.push(one);
  }
  return [
    el("ol", { class: "days" }, days.map((day) => el("li", {}, el("h3", {}, day.time ? when(day.time) : "In this order, without dates"), el("ul", {}, day.items.map((one) => event(one, linkTo, fresh)))))),
    more && el("button", { type: "button", class: "quiet", on: { click: more } }, "Show older ones"),
  ].filter(Boolean);
}

function event(one, linkTo, fresh) {
  const times = one.count > 1 ? ` ${one.count} times so far` : "";
  return el(
    "li",
    { class: fresh.has(one.id) ? "fresh" : null },
    el("a", { href: linkTo(one.id) }, named(titleOf(one))),
    el("small", {}, `${kindWord(one.kind)}${times}`, fresh.has(one.id) && el("span", { class: "move new" }, "just now")),
  );
}
