// What a shopper is up to, and the items that are still needed for it.

import { count, el, named, number, titleOf, when } from "./dom.js";
import { sign } from "./moves.js";

const HAD = 5; // categories shown at first

/** Names that a source shouts are told calmly; the title has them as they are. */
export function calm(name) {
  const shouted = name.length > 3 && /\p{Lu}/u.test(name) && name === name.toUpperCase();
  return shouted ? name[0] + name.slice(1).toLowerCase() : name;
}

/** @param intents of GET /users/{user}/intents; `moved`: by id, see moves.js */
export function intentList(intents, moved) {
  if (!intents.length) return el("p", { class: "hint" }, "No intent is seen yet: nothing that this shopper had belongs to one.");
  const most = Math.max(...intents.map((one) => one.score)) || 1;
  return el("ol", { class: "intents" }, intents.map((one, place) => intent(one, place, most, moved)));
}

function intent(one, place, most, moved) {
  return el(
    "li",
    { "data-id": one.id },
    el(
      "div",
      { class: "head" },
      el("span", { class: "rank" }, String(place + 1)),
      el("h3", { dir: "auto" }, capital(one.sentence), " ", sign(moved.get(one.id))),
      el("span", { class: "score" }, number(one.score)),
    ),
    el("div", { class: "bar", "aria-hidden": "true" }, el("span", { class: "intent", style: { "--share": one.score / most } })),
    el("p", { class: "facts" }, "last on ", when(one.last_time), ` · recency ${number(one.recency)} · activeness ${count(one.activeness, "event")}`),
    categories("had", "had", one.had),
    categories("needs", "still needs", one.needs),
  );
}

function categories(kind, word, list) {
  if (!list.length) return kind === "needs" ? el("p", { class: "chips" }, el("span", { class: "word" }, "nothing is missing")) : null;
  const chips = list.map((one) => el("li", { class: kind, title: one.name }, named(calm(one.name ?? one.id))));
  const rest = chips.splice(HAD);
  const shown = el("ul", { "aria-label": word }, chips);
  if (rest.length) {
    const more = el("button", { type: "button", class: "quiet" }, `${rest.length} more`);
    more.addEventListener("click", () => {
      more.parentElement.remove();
      shown.append(...rest);
    });
    shown.append(el("li", {}, more));
  }
  return el("div", { class: "chips" }, el("span", { class: "word" }, `${word}:`), shown);
}

const capital = (text) => text[0].toUpperCase() + text.slice(1);

/** Needed items under the intent that they are for. */
export function neededList(items, linkTo, empty) {
  if (!items.length) return el("p", { class: "hint" }, empty);
  const groups = Map.groupBy ? Map.groupBy(items, (one) => one.sentence) : group(items);
  return el(
    "ul",
    { class: "needed" },
    [...groups].map(([sentence, list]) =>
      el("li", {}, el("h3", {}, "To ", el("bdi", { dir: "auto" }, sentence)), el("ul", {}, list.map((one) => needed(one, linkTo)))),
    ),
  );
}

function needed(one, linkTo) {
  const path = one.path === undefined ? null : one.path > 0 ? `paths ${number(one.path)}` : "popular, no path";
  return el(
    "li",
    {},
    el("a", { href: linkTo(one.id) }, named(titleOf(one))),
    el("small", {}, one.category_name && named(calm(one.category_name), "span"), one.category_name && path && " · ", path),
  );
}

function group(items) {
  const groups = new Map();
  for (const one of items) groups.set(one.sentence, [...(groups.get(one.sentence) ?? []), one]);
  return groups;
}
