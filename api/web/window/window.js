// The window: puts the parts together. What is shown stands in the address; whoever changes it lets `show` follow.

import { DEFAULTS, link, read, takeKey } from "./address.js";
import { ask, key, part } from "./api.js";
import { combobox } from "./combobox.js";
import { Connection } from "./connection.js";
import { byId, count, el, named, say, skeleton, when } from "./dom.js";
import { eventForm } from "./events.js";
import { showGate } from "./gate.js";
import { ItemView } from "./item.js";
import { Shopper } from "./shopper.js";
import { sentence } from "./part.js";

const WELCOME = 12; // shoppers offered at the start

const narrow = matchMedia("(max-width: 45.99rem)");

let role = null;
let shown = {};
let last = null; // the row where the keyboard was before an item was opened

const app = {
  lost: (how) => connection.lost(how),
  refused: (error) => {
    key.forget();
    gate(`${sentence(error.message)}`);
  },
  unknown: (error) => {
    if (!/^user /.test(error.message)) return false;
    unknown(shown.user);
    return true;
  },
};
const connection = new Connection(() => (role ? show(true) : start()));

const howOf = (error) => (error.status ? "waiting" : "away");

const page = {
  app,
  linkTo: (item) => link({ ...shown, item }),
  all: () => link({ ...shown, item: null }),
  open: (item) => (location.hash = link({ ...shown, item })),
  set: (name, value) => {
    history.replaceState(null, "", link({ ...shown, [name]: value }));
    show();
  },
  reset: (names) => {
    history.replaceState(null, "", link({ ...shown, ...Object.fromEntries(names.map((name) => [name, null])) }));
    show();
  },
  settings: () => Object.fromEntries(Object.entries(DEFAULTS).map(([name, value]) => [name, shown[name] ?? value])),
  given: (name) => shown[name],
  item: () => shown.item,
  user: () => shown.user,
  newest: () => shopper.newest,
  role: () => role,
  changed: (item) => shopper.changed(item),
  failed: (error) => (error.status === 401 ? app.refused(error) : app.lost(howOf(error))),
  add: (item) => events.choose(item),
  facts: (profile) => facts(profile),
};

const shopper = new Shopper(page);
const itemView = new ItemView(byId("item"), page);
const events = eventForm(byId("add"), page);
const choose = combobox({
  id: "user",
  label: "Shopper",
  placeholder: "type an id",
  find: async (text, signal) => usersOf(await ask("users", { query: { q: text || null, k: 12 }, signal })),
  choose: (one) => {
    location.hash = link({ ...shown, item: null, user: one.id });
    if (one.id === shown.user) show(true);
  },
});
byId("choose").append(choose.box);

const usersOf = (answer) => answer.users.map((one) => ({ id: one.id, note: count(one.items, "item") }));

function view(name) {
  for (const id of ["gate", "welcome", "shopper"]) byId(id).hidden = id !== name;
  byId("choose").hidden = name === "gate";
  cover();
}

function gate(why) {
  view("gate");
  showGate(why, start);
}

/** Learn what the key may do, then show what the address says. */
async function start() {
  const given = takeKey();
  if (given) key.set(given);
  if (!key.get()) return gate("");
  try {
    role = (await ask("window/key")).role;
  } catch (error) {
    if (error.status === 401) return app.refused(error);
    return connection.lost(howOf(error));
  }
  byId("role").textContent = role === "read" ? "Your key may only read" : "Your key may add events";
  byId("role").hidden = false;
  events.roleKnown();
  show(true);
}

/** Show what the address says; `again`: load all of it anew. */
function show(again = false) {
  const before = shown;
  shown = read();
  const moved = again || before.user !== shown.user;
  choose.input.value = shown.user ?? "";
  if (!shown.user) {
    shopper.stop();
    return welcome();
  }
  view("shopper");
  document.title = `Shopper ${shown.user} · Twohop`;
  byId("who").replaceChildren("Shopper ", named(shown.user));
  if (before.user !== shown.user) {
    byId("facts").replaceChildren();
    events.reset();
  }
  shopper.show(moved, before.user !== shown.user);
  showItem(before);
}

function showItem(before) {
  const open = shown.item !== null;
  byId("all").hidden = open;
  byId("item").hidden = !open;
  byId("shopper").classList.toggle("reading", open);
  cover();
  if (open) {
    itemView.show(shown.user, shown.item, page.settings(), shopper.titleOf(shown.item));
    if (before.item !== shown.item && before.user) {
      last ??= document.activeElement?.closest("[data-id]")?.dataset.id ?? null;
      itemView.title.focus({ preventScroll: true });
      byId("why").scrollTop = 0;
    }
  } else {
    itemView.hide();
    if (before.item && before.user === shown.user) {
      const row = [...document.querySelectorAll("#next li[data-id]")].find((one) => one.dataset.id === (last ?? before.item));
      row?.querySelector("a").focus({ preventScroll: matchMedia("(min-width: 60rem)").matches });
    }
    last = null;
  }
}

/** On a phone an open item covers the rest: nothing behind it takes the keyboard. */
function cover() {
  const covered = !byId("shopper").hidden && shown.item !== null && narrow.matches;
  for (const behind of document.querySelectorAll("#shopper > .who, .jump, .pane.now, .pane.next, .top, .foot")) behind.inert = covered;
  document.documentElement.classList.toggle("covered", covered);
}

function facts(profile) {
  const told = [];
  if (Number.isFinite(profile.items)) told.push(count(profile.items, "item"));
  if (Number.isFinite(profile.triggers)) told.push(count(profile.triggers, "trigger"));
  const line = told.flatMap((one, place) => [place ? " · " : "had ", one]);
  if (profile.newest) line.push(line.length ? " · last on " : "last on ", when(profile.newest));
  byId("facts").replaceChildren(...line);
}

async function welcome() {
  view("welcome");
  document.title = "Twohop";
  const body = el("div", { class: "body" });
  byId("welcome").replaceChildren(
    el(
      "div",
      { class: "lone card" },
      el("h1", {}, "Choose a shopper"),
      el("p", {}, "See what somebody had, what they are up to, what they may want next, and why: every number here is a path in a graph."),
      body,
    ),
  );
  await offer(body);
}

function unknown(user) {
  view("welcome");
  document.title = "Twohop";
  shopper.stop();
  const body = el("div", { class: "body" });
  const title = el("h1", {}, "No shopper has the id ", named(user));
  byId("welcome").replaceChildren(el("div", { class: "lone card" }, title, el("p", {}, "Type another one above, or take one of these:"), body));
  say(`No shopper has the id ${user}.`);
  offer(body);
}

async function offer(body) {
  body.replaceChildren(skeleton(3));
  try {
    const found = usersOf(await ask("users", { query: { k: WELCOME } }));
    const links = found.map((one) => el("li", {}, el("a", { href: link({ user: one.id }), class: "pick" }, named(one.id), one.note && el("small", {}, one.note))));
    body.replaceChildren(links.length ? el("ul", { class: "picks" }, links) : el("p", { class: "hint" }, "The store has no shoppers yet: load some with ", el("code", {}, "twohop load"), "."));
  } catch (error) {
    if (error.status === 401) app.refused(error);
    else if (!error.status || error.status === 503) connection.lost(howOf(error));
    else body.replaceChildren(el("p", { class: "hint" }, sentence(error.message)));
  }
}

narrow.addEventListener("change", cover);
window.addEventListener("hashchange", () => (new URLSearchParams(location.hash.slice(1)).has("key") ? start() : role && show()));
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && shown.item) location.hash = page.all();
  if (event.key === "/" && !/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) {
    event.preventDefault();
    choose.input.focus();
  }
});
// Links within the page would change what the address says: they only move.
document.addEventListener("click", (event) => {
  const jump = event.target.closest?.(".jump a, .skip");
  if (!jump) return;
  event.preventDefault();
  const place = byId(jump.getAttribute("href").slice(1));
  place.scrollIntoView();
  place.focus({ preventScroll: true });
});

start();
