// A text field with suggestions, as the ARIA Authoring Practices describe it: arrows, Enter, Escape, and a mouse.

import { el } from "./dom.js";

const PAUSE = 130; // milliseconds after the last key

/**
 * @param find (text, signal) -> [{id, title?, note?}], the best first
 * @param choose called with the chosen one, or with {id: text} for what was typed in full
 */
export function combobox({ id, label, placeholder, find, choose, typed = true }) {
  const list = el("ul", { id: `${id}-list`, role: "listbox", "aria-label": label, class: "options", hidden: true });
  const input = el("input", {
    id, type: "text", role: "combobox", "aria-expanded": "false", "aria-controls": list.id, "aria-autocomplete": "list",
    autocomplete: "off", autocapitalize: "off", spellcheck: "false", placeholder, dir: "auto", maxlength: 256,
  });
  const box = el("div", { class: "combo" }, el("label", { for: id }, label), el("div", { class: "field" }, input, list));
  let shown = [], active = -1, timer = null, asking = null;

  const close = () => {
    clearTimeout(timer);
    asking?.abort();
    list.hidden = true;
    active = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const mark = (place) => {
    active = place;
    [...list.children].forEach((option, index) => option.setAttribute("aria-selected", String(index === place)));
    if (place < 0) return input.removeAttribute("aria-activedescendant");
    input.setAttribute("aria-activedescendant", list.children[place].id);
    list.children[place].scrollIntoView({ block: "nearest" });
  };
  const take = (one) => {
    close();
    input.value = one.title && !typed ? one.title : one.id;
    choose(one);
  };
  const open = (found) => {
    shown = found;
    active = -1;
    const options = found.map((one, index) =>
      el(
        "li",
        { id: `${id}-${index}`, role: "option", "aria-selected": "false", on: { pointerdown: (event) => event.preventDefault(), click: () => take(one) } },
        el("bdi", { dir: "auto" }, one.title || one.id),
        one.note && el("small", {}, one.note),
      ),
    );
    list.replaceChildren(...(options.length ? options : [el("li", { class: "none", role: "option", "aria-disabled": "true" }, "nothing like that")]));
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    input.removeAttribute("aria-activedescendant");
  };
  const look = async () => {
    asking?.abort();
    asking = new AbortController();
    const { signal } = asking;
    try {
      const found = await find(input.value.trim(), signal);
      if (!signal.aborted && document.activeElement === input) open(found);
    } catch {
      if (!signal.aborted) close(); // what fails is told by the rest of the page
    }
  };
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(look, PAUSE);
  });
  input.addEventListener("focus", () => input.select());
  input.addEventListener("click", () => list.hidden && look());
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const open = !list.hidden && shown.length;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!open) return void look();
      const step = event.key === "ArrowDown" ? 1 : -1;
      mark(active < 0 && step < 0 ? shown.length - 1 : (active + step + shown.length) % shown.length);
    } else if (event.key === "Enter") {
      if (open && active >= 0) event.preventDefault(), take(shown[active]);
      else if (typed && input.value.trim()) event.preventDefault(), take({ id: input.value.trim() });
      else if (!typed && open) event.preventDefault(), take(shown[0]);
    } else if (event.key === "Escape" && !list.hidden) {
      event.stopPropagation();
      close();
    }
  });
  return { box, input, close };
}
