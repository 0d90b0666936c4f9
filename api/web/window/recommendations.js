// The ranked list: each score as a bar of its paths and its direct part, with the triggers that carry most.

import { el, named, score, titleOf, twins } from "./dom.js";
import { sign } from "./moves.js";

const REASONS = 2;

/** Sum of an item's paths. */
export const pathsOf = (one) => Math.max(0, one.score - one.direct);

/**
 * @param answer of GET /users/{user}/recommendations with explain
 * @param titles of triggers by id
 * @param linkTo item id -> address
 * @param moved by id, see moves.js
 * @param chosen id of the item that is open
 * @param point called with an id while a row is pointed at, with null after
 */
export function recommendationList(answer, { titles, linkTo, moved, chosen, point }) {
  if (!answer.items.length) return el("p", { class: "hint" }, "Nothing to recommend: this shopper had all that the paths lead to.");
  const most = Math.max(...answer.items.map((one) => one.score)) || 1;
  const shared = twins(answer.items);
  const popular = answer.items.every((one) => isPopular(one, answer));
  return [
    popular && el("p", { class: "hint" }, "No paths yet, so these are the items that most shoppers have."),
    el(
      "p",
      { class: "legend" },
      el("span", {}, `weights of generation ${answer.generation}${answer.variant === "challenger" ? ", the challenger" : ""}`),
      el("span", { class: "key paths" }, "paths"),
      el("span", { class: "key direct" }, "direct"),
    ),
    el(
      "ol",
      { class: "ranked" },
      answer.items.map((one, place) => row(one, place, { answer, most, titles, linkTo, moved, chosen, point, shared })),
    ),
  ].filter(Boolean);
}

const isPopular = (one, answer) => one.source === "popular" || answer.fallback === "popular";

function row(one, place, { answer, most, titles, linkTo, moved, chosen, point, shared }) {
  const popular = isPopular(one, answer);
  const link = el(
    "a",
    {
      href: linkTo(one.id),
      "aria-current": one.id === chosen ? "true" : null,
      on: { pointerenter: () => point(one.id), pointerleave: () => point(null), focus: () => point(one.id), blur: () => point(null) },
    },
    el("span", { class: "rank" }, String(place + 1)),
    el("span", { class: "what" }, named(titleOf(one)), shared.has(titleOf(one)) && el("small", { class: "id" }, ` no. ${one.id}`), " ", sign(moved.get(one.id)), " ", popular && el("span", { class: "tag" }, "popular")),
    el("span", { class: "score" }, popular ? "–" : score(one.score)),
    !popular && bar(one, most),
    !popular && el("small", { class: "because" }, because(one, titles)),
  );
  return el("li", { "data-id": one.id }, link);
}

/** Two segments; the whole is `most`. */
export function bar(one, most) {
  const paths = pathsOf(one);
  return el(
    "span",
    { class: "bar" },
    el("span", { class: "paths", style: { "--share": paths / most }, title: `paths ${score(paths)}` }),
    el("span", { class: "direct", style: { "--share": one.direct / most }, title: `direct ${score(one.direct)}` }),
    el("span", { class: "unseen" }, `paths ${score(paths)}, direct ${score(one.direct)}`),
  );
}

function because(one, titles) {
  const strongest = [...(one.paths ?? [])].sort((a, b) => b.path - a.path);
  if (!strongest.length) return "by the direct part alone";
  const told = strongest.slice(0, REASONS).flatMap((path, place) => [place ? " and " : "", named(path.title ?? titles.get(path.trigger) ?? path.trigger)]);
  const rest = strongest.length - REASONS;
  return el("span", {}, "because of ", told, rest > 0 ? `, ${rest} more` : "");
}
