// Adding an event: choose an item and what happened with it, send it, and wait until the weights follow.

import { Refused, Unreachable, ask, part } from "./api.js";
import { combobox } from "./combobox.js";
import { el, named, say, seconds, titleOf } from "./dom.js";
import { sentence } from "./part.js";
import { kindWord } from "./timeline.js";

const KINDS = ["purchase", "view", "click", "cart"];
const PATIENCE = 20_000; // milliseconds until the weights should have followed
const PAUSES = [100, 150, 200, 300, 400, 500]; // milliseconds between two looks, the last one from then on

/** Random text that no other event has; also where the page came over plain HTTP, which has no randomUUID. */
const randomKey = () => `window-${[...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;

/** Shortly after the shopper's newest event: old stores end long ago, and what is new must not count as years later. */
function moment(newest) {
  const after = newest ? Date.parse(newest) + 60_000 : Date.now();
  return new Date(Math.min(after, Date.now())).toISOString();
}

/**
 * @param page {user(), newest(), role(), changed(item): Promise, failed(error)}
 * @returns {choose(item), reset()}
 */
export function eventForm(place, page) {
  let chosen = null;
  const find = combobox({
    id: "event-item",
    label: "Item",
    placeholder: "search by name",
    typed: false,
    find: async (text, signal) => itemsOf(await ask("items", { query: { q: text || null, k: 8 }, signal })),
    choose: (one) => (chosen = one),
  });
  find.input.addEventListener("input", () => (chosen = null));
  const kind = el("select", { id: "event-kind" }, KINDS.map((one) => el("option", { value: one }, kindWord(one))));
  const button = el("button", { type: "submit", class: "main" }, "Add");
  const told = el("div", { class: "told", role: "status" });
  const form = el(
    "form",
    { class: "add" },
    find.box,
    el("div", { class: "combo" }, el("label", { for: kind.id }, "What happened"), el("div", { class: "line" }, kind, button)),
  );
  const readOnly = el("p", { class: "hint" }, "Your key may only read. To add events take a key that may write: ", el("code", {}, "twohop keys create --role write"), ".");
  const box = el("details", { class: "fold" }, el("summary", {}, "Add an event"), el("p", { class: "lead" }, "And see the weights, intents and recommendations follow. Its time is a minute after the newest event."), form, readOnly, told);
  place.replaceChildren(box);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!chosen) return void told.replaceChildren(el("p", { class: "wrong" }, "Choose an item from the list first."));
    button.disabled = true;
    try {
      await add(page, chosen, kind.value, told);
    } finally {
      button.disabled = false;
    }
  });
  const roleKnown = () => {
    const reads = page.role() === "read";
    form.hidden = reads;
    readOnly.hidden = !reads;
  };
  roleKnown();
  return {
    roleKnown,
    choose(item) {
      box.open = true;
      chosen = item;
      find.input.value = titleOf(item);
      told.replaceChildren();
      box.scrollIntoView({ block: "nearest" });
      (page.role() === "read" ? box.querySelector("summary") : kind).focus();
    },
    reset() {
      chosen = null;
      find.input.value = "";
      told.replaceChildren();
    },
  };
}

export const itemsOf = (answer) => answer.items.map((one) => ({ id: one.id, title: one.title, note: one.title ? one.id : null }));

async function add(page, item, kind, told) {
  const user = page.user();
  const show = (...lines) => told.replaceChildren(...lines.map((line) => el("p", {}, line)));
  show("Sending …");
  const start = performance.now();
  try {
    const before = await weights(user);
    const sent = performance.now();
    const event = { key: randomKey(), user, item: item.id, kind, time: moment(page.newest()) };
    await ask("events", { body: event });
    const written = `Written in ${seconds(performance.now() - sent)}.`;
    show(written, "Waiting for the weights …");
    const followed = await follow(user, before, sent);
    if (page.user() !== user) return;
    await page.changed(item.id);
    const all = followed === null ? `The weights have not followed within ${seconds(PATIENCE)}; the event counts as had all the same.` : `The weights followed after ${seconds(followed)}, all that you see after ${seconds(performance.now() - sent)}.`;
    show(el("span", {}, "Added: ", named(titleOf(item)), "."), written, all);
    say(`Added. ${all}`);
  } catch (error) {
    if (!(error instanceof Refused || error instanceof Unreachable)) throw error;
    told.replaceChildren(el("p", { class: "wrong", dir: "auto" }, sentence(error.message)));
    if (!error.status || error.status === 401 || error.status === 503) page.failed(error, start);
  }
}

/** The weights of the shopper's triggers as one text: any change of them shows. */
async function weights(user) {
  try {
    const answer = await ask(`users/${part(user)}/triggers`, { query: { m: 1000 } });
    return JSON.stringify(answer.triggers.map((one) => [one.id, one.weight]));
  } catch (error) {
    if (error.status === 404) return "[]"; // a shopper who is new with this event
    throw error;
  }
}

/** Milliseconds from `since` until the weights differ from `before`; null where that takes too long. */
async function follow(user, before, since) {
  for (let look = 0; performance.now() - since < PATIENCE; look++) {
    if ((await weights(user)) !== before) return performance.now() - since;
    await new Promise((resolve) => setTimeout(resolve, PAUSES[Math.min(look, PAUSES.length - 1)]));
  }
  return null;
}
