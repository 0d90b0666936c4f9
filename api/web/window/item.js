// One item: its score for the shopper, every path to it, what is like it, and what completes it.

import { ask, part } from "./api.js";
import { count, el, named, number, percent, score, titleOf } from "./dom.js";
import { Drawing, explained } from "./drawing.js";
import { calm, neededList } from "./intents.js";
import { Part } from "./part.js";
import { bar, pathsOf } from "./recommendations.js";

const PATHS = 8; // rows at first
const SIMILAR = 8;

export class ItemView {
  /**
   * @param section that it fills
   * @param page {app, linkTo(item), all(), open(item), add(item)}
   */
  constructor(section, page) {
    Object.assign(this, { section, page, item: null });
    this.title = el("h2", { id: "item-title", tabindex: "-1", dir: "auto" });
    this.facts = el("p", { class: "facts" });
    this.back = el("a", { class: "back" }, "← All paths");
    this.add = el("button", { type: "button", class: "quiet" }, "Add an event with it");
    this.add.addEventListener("click", () => page.add({ id: this.item, title: this.known }));
    const bodies = ["why", "similar", "complements"].map(() => el("div", { class: "body" }));
    const [why, similar, complements] = bodies;
    section.replaceChildren(
      el("div", { class: "line spread" }, this.back, this.add),
      this.title,
      this.facts,
      why,
      el("h3", { class: "part" }, "Similar items"),
      el("p", { class: "lead" }, "Its neighbours: what shoppers have who have this one, and what is described alike."),
      similar,
      el("h3", { class: "part" }, "Goes with it"),
      el("p", { class: "lead" }, "Items that serve the same intent."),
      complements,
    );
    this.why = new Part(why, 6, page.app);
    this.similar = new Part(similar, 5, page.app);
    this.complements = new Part(complements, 3, page.app);
    this.about = new Part(this.facts, 1, page.app);
    this.drawn = el("div", { class: "drawn" });
    this.drawing = new Drawing(this.drawn, (id) => id !== this.item && page.open(id));
  }

  /** Shows `item` for `user`; `title` where it is known already. */
  show(user, item, { m, neighbours }, title) {
    const fresh = item !== this.item || user !== this.user;
    this.user = user;
    if (fresh) {
      this.item = item;
      this.known = title;
      this.name(title ?? item);
      this.facts.replaceChildren();
    }
    this.back.setAttribute("href", this.page.all());
    const path = `items/${part(item)}`;
    this.about.load((signal) => ask(path, { signal }), (answer) => this.describe(answer), false);
    this.why.load((signal) => ask(`users/${part(user)}/explanations/${part(item)}`, { query: { m, neighbours }, signal }), (answer) => this.explain(answer), fresh);
    if (!fresh) return;
    this.similar.load((signal) => ask(`${path}/similar`, { query: { k: SIMILAR }, signal }), (answer) => this.resemble(answer.items), true);
    this.complements.load((signal) => ask(`${path}/complements`, { query: { k: SIMILAR }, signal }), (answer) => this.complete(answer.items), true);
  }

  hide() {
    for (const one of [this.why, this.similar, this.complements, this.about]) one.stop();
    this.item = null;
  }

  name(text) {
    this.title.textContent = text;
  }

  describe(answer) {
    if (answer.title) this.known = answer.title;
    this.name(titleOf(answer));
    const facts = [answer.categories[0]?.path.split(" > ").map(calm).join(" › "), `no. ${answer.id}`, answer.brand, answer.price !== null && answer.price !== undefined && `price ${number(answer.price)}`, answer.available === false && "not available"];
    this.facts.replaceChildren(...facts.filter(Boolean).flatMap((fact, place) => [place ? " · " : "", named(fact)]));
  }

  explain(answer) {
    if (answer.title) this.name((this.known = answer.title));
    const served = answer.paths.filter((path) => path.served);
    const head = el(
      "div",
      { class: "split" },
      el("p", {}, el("b", {}, score(answer.score)), " = ", el("span", { class: "key paths" }, `${score(pathsOf(answer))} by ${count(served.length, "path")}`), " + ", el("span", { class: "key direct" }, `${score(answer.direct)} direct`)),
      bar(answer, answer.score || 1),
    );
    this.why.body.replaceChildren(head, this.drawn, ...(served.length ? [table(served, this.page.linkTo, powered(answer))] : []));
    this.drawing.show(explained(answer));
  }

  resemble(items) {
    const list = items.map((one) =>
      el("li", {}, el("a", { href: this.page.linkTo(one.id) }, named(titleOf(one))), el("small", {}, `weight ${number(one.weight)}`)),
    );
    this.similar.body.replaceChildren(items.length ? el("ul", { class: "plain" }, list) : el("p", { class: "hint" }, "No neighbours yet."));
  }

  complete(items) {
    const empty = "Nothing: its categories serve no intent.";
    this.complements.body.replaceChildren(neededList(items, this.page.linkTo, empty));
  }
}

function powered({ item, paths, repeat_power: power }) {
  return power !== 1 && paths.some((path) => path.trigger === item) ? ` From the item to itself, the first hop is to the power of ${power}.` : "";
}

function table(paths, linkTo, note) {
  const rows = paths.map((path) =>
    el(
      "tr",
      {},
      el("th", { scope: "row" }, el("a", { href: linkTo(path.trigger) }, named(path.trigger_title ?? path.trigger))),
      el("td", {}, number(path.trigger_weight)),
      el("td", {}, number(path.similar_weight)),
      el("td", {}, number(path.path), el("small", {}, percent(path.share))),
    ),
  );
  const rest = rows.splice(PATHS);
  const body = el("tbody", {}, rows);
  const more = el("button", { type: "button", class: "quiet" }, `Show ${rest.length} more`);
  more.addEventListener("click", () => {
    body.append(...rest);
    more.remove();
  });
  const head = ["Over", "first hop", "second hop", "path"].map((name, place) => el("th", { scope: "col", class: place ? null : "name" }, name));
  return el(
    "div",
    { class: "paths" },
    el("table", {}, el("caption", { class: "lead" }, `A path counts log(1 + first hop × second hop); below it is its share of the score.${note}`), el("thead", {}, el("tr", {}, head)), body),
    rest.length ? more : null,
  );
}
