// Sliders with their value and what they mean. A slider of `steps` walks through those instead of evenly.

import { el } from "./dom.js";

const TRIGGERS = [1, 2, 3, 5, 10, 20, 50, 100, 200, 300, 500, 1000];
const NEIGHBOURS = [1, 2, 3, 5, 10, 20, 50, 100, 200];

export const LIST = [
  { name: "m", sign: "m", label: "Triggers", help: "past items used", steps: TRIGGERS },
  { name: "neighbours", sign: null, label: "Neighbours", help: "similar items of each", steps: NEIGHBOURS },
  { name: "k", sign: "k", label: "Items", help: "in the list", least: 3, most: 50, step: 1 },
];

export const INTENTS = [
  { name: "lambda", sign: "λ", label: "Recency", help: "more: new ones first", least: 0, most: 4, step: 0.25 },
  { name: "tau", sign: "τ", label: "Activeness", help: "more: busy ones first", least: 0, most: 4, step: 0.25 },
  { name: "alpha", sign: "α", label: "Leniency", help: "more: old ones fade slower", least: 0.2, most: 2.7, step: 0.1 },
];

const PAUSE = 90; // milliseconds that a slider must stand still

/** Puts sliders into `place`; `changed(name, value)` is called when one comes to rest. Returns a function that sets them. */
export function sliders(place, list, changed) {
  const setters = list.map((control) => {
    const { box, set } = slider(control, changed);
    place.append(box);
    return [control.name, set];
  });
  return (values) => setters.forEach(([name, set]) => set(values[name]));
}

function slider(control, changed) {
  const { name, sign, label, help, steps } = control;
  const range = steps ? { min: 0, max: steps.length - 1, step: 1 } : { min: control.least, max: control.most, step: control.step };
  const input = el("input", { type: "range", id: `set-${name}`, "aria-describedby": `help-${name}`, ...range });
  const shown = el("output", { for: input.id });
  const value = () => (steps ? steps[Number(input.value)] : Number(input.value));
  const show = () => {
    shown.textContent = String(value());
    input.setAttribute("aria-valuetext", String(value()));
    input.style.setProperty("--filled", (input.value - input.min) / (input.max - input.min));
  };
  const set = (wanted) => {
    if (document.activeElement === input && waiting) return; // the hand on it knows better
    input.value = steps ? nearest(steps, wanted) : wanted;
    show();
    if (value() !== wanted) shown.textContent = String(wanted);
  };
  let waiting = null;
  input.addEventListener("input", () => {
    show();
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      waiting = null;
      changed(name, value());
    }, PAUSE);
  });
  const box = el(
    "div",
    { class: "control" },
    el("label", { for: input.id }, sign && el("i", {}, sign), sign && " ", label),
    shown,
    input,
    el("small", { id: `help-${name}` }, help),
  );
  return { box, set };
}

function nearest(steps, wanted) {
  const distances = steps.map((one) => Math.abs(Math.log(one / wanted)));
  return distances.indexOf(Math.min(...distances));
}
