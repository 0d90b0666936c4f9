// Asks for a key where there is none, or where the one at hand is refused.

import { key } from "./api.js";
import { byId, el } from "./dom.js";

/** Shows the form; `opened()` is called once somebody gave a key. */
export function showGate(why, opened) {
  const input = el("input", { id: "key", type: "password", autocomplete: "off", spellcheck: "false", required: true, "aria-describedby": "key-help key-wrong" });
  const wrong = el("p", { id: "key-wrong", class: "wrong", role: "alert" }, why);
  const form = el(
    "form",
    { class: "lone card" },
    el("h1", {}, "Which key?"),
    el("p", { id: "key-help" }, "The data of this shop opens with an API key. ", el("code", {}, "twohop serve"), " prints an address that has one in it; ", el("code", {}, "twohop keys create"), " makes another."),
    el("label", { for: "key" }, "API key"),
    el("div", { class: "line" }, input, el("button", { type: "submit", class: "main" }, "Open")),
    wrong,
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const given = input.value.trim();
    if (!/^[\x21-\x7e]+$/.test(given)) return void (wrong.textContent = "A key has letters, digits and signs only.");
    key.set(given);
    opened();
  });
  byId("gate").replaceChildren(form);
  input.focus();
}
