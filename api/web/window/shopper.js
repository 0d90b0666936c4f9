// One shopper: loads the parts side by side, and says what each change of a setting or each new event moved.

import { DEFAULTS } from "./address.js";
import { ask, part } from "./api.js";
import { INTENTS, LIST } from "./controls.js";
import { byId, gently, say } from "./dom.js";
import { Drawing, strongest } from "./drawing.js";
import { intentList, neededList } from "./intents.js";
import { summary } from "./moves.js";
import { Part } from "./part.js";
import { Ranking } from "./ranking.js";
import { recommendationList } from "./recommendations.js";
import { timeline } from "./timeline.js";

const EVENTS = 6, OLDER = 24; // events shown at first, and more with each click
const NEEDED = 8;
const INTENTS_SHOWN = 4;
const LIST_NAMES = LIST.map((one) => one.name);
const INTENT_NAMES = INTENTS.map((one) => one.name);
const bodyOf = (id) => byId(id).querySelector(".body");

export class Shopper {
  constructor(page) {
    Object.assign(this, { page, newest: null, events: EVENTS, fresh: new Set(), titles: new Map(), asked: {}, profile: {} });
    this.history = new Part(bodyOf("happened"), 6, page.app);
    this.intents = new Part(bodyOf("intents"), 4, page.app);
    this.list = new Part(bodyOf("next"), 8, page.app);
    this.needed = new Part(bodyOf("needed"), 4, page.app);
    this.drawing = new Drawing(bodyOf("all"), (id) => page.open(id));
    this.ranking = new Ranking(byId("next").querySelector(".controls"), LIST, page);
    this.intentRanking = new Ranking(byId("intents").querySelector(".controls"), INTENTS, page);
  }

  titleOf(item) {
    return this.titles.get(item) ?? null;
  }

  stop() {
    for (const one of [this.history, this.intents, this.list, this.needed]) one.stop();
  }

  /** Load what the address asks for and what is not there yet; `again`: all of it; `other`: it is another shopper. */
  show(again, other) {
    const settings = this.page.settings();
    this.ranking.set(settings);
    this.intentRanking.set(settings);
    if (other) {
      Object.assign(this, { newest: null, events: EVENTS, fresh: new Set(), profile: {} });
      this.ranking.reset();
      this.intentRanking.reset();
    }
    const asks = { list: LIST_NAMES, intents: INTENT_NAMES };
    for (const [what, names] of Object.entries(asks)) {
      const now = JSON.stringify(names.map((name) => settings[name]));
      if (again || this.asked[what] !== now) this[what === "list" ? "loadList" : "loadIntents"](other);
      this.asked[what] = now;
    }
    if (again) {
      this.loadFacts();
      this.loadHistory(other);
      this.loadNeeded(other);
    } else this.markChosen();
  }

  path(rest) {
    return `users/${part(this.page.user())}/${rest}`;
  }

  /** The line under the name is an extra: what keeps it away is told by the other parts. */
  async loadFacts() {
    const user = this.page.user();
    const found = await ask(`users/${part(user)}`).catch(() => ({}));
    if (this.page.user() === user) this.tell({ items: found.items, triggers: found.triggers });
  }

  tell(facts) {
    Object.assign(this.profile, facts);
    this.page.facts(this.profile);
  }

  loadHistory(other) {
    const k = this.events;
    return this.history.load(
      (signal) => ask(this.path("history"), { query: { k: k + 1 }, signal }),
      (answer) => this.drawHistory(answer.items, k),
      other,
    );
  }

  drawHistory(items, k) {
    this.learn(items);
    this.newest = items[0]?.last_time ?? null;
    this.tell({ newest: this.newest });
    const more = items.length > k ? () => ((this.events += OLDER), this.loadHistory(false)) : null;
    this.history.body.replaceChildren(...[timeline(items.slice(0, k), this.page.linkTo, this.fresh, more)].flat());
  }

  loadIntents(other) {
    const given = Object.fromEntries(INTENT_NAMES.map((name) => [name, this.page.given(name)])); // else the stored ones
    const find = (query, signal) => ask(this.path("intents"), { query: { k: INTENTS_SHOWN, needs: 6, ...query }, signal });
    return this.intents.load(
      async (signal) => {
        const [answer, base] = await Promise.all([find(given, signal), this.intentRanking.needsBase() && find({}, signal)]);
        if (base) this.intentRanking.compareWith(base.intents.map((one) => one.id));
        return answer.intents;
      },
      (intents) => this.drawIntents(intents),
      other,
    );
  }

  drawIntents(intents) {
    const compared = this.intentRanking.judge(intents.map((one) => one.id));
    const head = this.intentRanking.line(compared);
    this.intents.body.replaceChildren(...[head, intentList(intents, compared.moved)].filter(Boolean));
    if (head) say(`Intents: ${summary(compared) || "the same order"}`);
  }

  loadList(other) {
    const { m, neighbours, k } = this.page.settings();
    const recommend = (query, signal) => ask(this.path("recommendations"), { query, signal });
    return this.list.load(
      async (signal) => {
        const [answer, triggers, base] = await Promise.all([
          recommend({ m, neighbours, k, explain: true }, signal),
          ask(this.path("triggers"), { query: { m }, signal }),
          this.ranking.needsBase() && recommend({ m: DEFAULTS.m, neighbours: DEFAULTS.neighbours, k }, signal),
        ]);
        if (base) this.ranking.compareWith(base.items.map((one) => one.id));
        this.learn(triggers.triggers);
        return answer;
      },
      (answer) => this.drawList(answer),
      other,
    );
  }

  drawList(answer) {
    this.learn(answer.items);
    const compared = this.ranking.judge(answer.items.map((one) => one.id));
    const head = this.ranking.line(compared);
    const places = this.places();
    const list = recommendationList(answer, {
      titles: this.titles,
      linkTo: this.page.linkTo,
      moved: head ? compared.moved : new Map(),
      chosen: this.page.item(),
      point: (id) => this.page.item() === null && this.drawing.point(id),
    });
    this.list.body.replaceChildren(...[head, list].flat().filter(Boolean));
    this.glide(places);
    if (head) say(`Recommendations: ${summary(compared) || "the same order"}`);
    this.drawing.show(strongest(answer, this.titles));
  }

  loadNeeded(other) {
    return this.needed.load(
      (signal) => ask(this.path("complements"), { query: { k: NEEDED }, signal }),
      (answer) => {
        const items = answer.items;
        this.learn(items);
        this.needed.body.replaceChildren(neededList(items, this.page.linkTo, "Nothing is missing for what this shopper is up to."));
      },
      other,
    );
  }

  /** After an event with `item`: all anew, compared with what stood there before. */
  async changed(item) {
    this.fresh.add(item);
    this.ranking.keep("the list before your event");
    this.intentRanking.keep("the order before your event");
    this.loadFacts();
    await Promise.all([this.loadHistory(false), this.loadIntents(false), this.loadList(false), this.loadNeeded(false)]);
  }

  learn(items) {
    for (const one of items) if (one.title) this.titles.set(one.id, one.title);
  }

  markChosen() {
    for (const row of this.list.body.querySelectorAll("li[data-id]")) {
      const link = row.querySelector("a");
      const chosen = row.dataset.id === this.page.item();
      if (chosen) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
    this.relink();
  }

  /** Links carry the settings: those on the page follow them. */
  relink() {
    for (const link of document.querySelectorAll("#shopper a[href*='item=']")) {
      const item = new URLSearchParams(link.getAttribute("href").slice(1)).get("item");
      if (item) link.setAttribute("href", this.page.linkTo(item));
    }
  }

  places() {
    return new Map([...this.list.body.querySelectorAll("li[data-id]")].map((row) => [row.dataset.id, row.getBoundingClientRect().top]));
  }

  /** Rows slide from where they stood; they jump for who asked for less motion. */
  glide(places) {
    if (!gently()) return;
    for (const row of this.list.body.querySelectorAll("li[data-id]")) {
      const before = places.get(row.dataset.id);
      const by = before === undefined ? 0 : before - row.getBoundingClientRect().top;
      if (by) row.animate([{ transform: `translateY(${by}px)` }, { transform: "none" }], { duration: 220, easing: "ease-out" });
    }
  }
}
