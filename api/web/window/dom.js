// Elements, numbers and dates. Text stays text: nothing here, or anywhere in the window, parses markup.

/** An element; attributes that are null are left out, `on` holds listeners, `style` custom properties. */
export function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key === "on") for (const [event, listener] of Object.entries(value)) made.addEventListener(event, listener);
    else if (key === "style") for (const [property, one] of Object.entries(value)) made.style.setProperty(property, one);
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

/** Text of the store's own, in any script and direction. */
export const named = (text, kind = "bdi") => el(kind, { dir: "auto", class: "named" }, text);

export const byId = (id) => document.getElementById(id);

export const titleOf = (one) => one.title || one.name || one.id;

/** Names that several of a list have: beside those the id is shown. */
export function twins(list) {
  const names = list.map(titleOf);
  return new Set(names.filter((name, place) => names.indexOf(name) !== place));
}

const three = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
const fixed = new Intl.NumberFormat("en", { minimumFractionDigits: 3, maximumFractionDigits: 3 });
const whole = new Intl.NumberFormat("en");
const percents = new Intl.NumberFormat("en", { style: "percent", maximumFractionDigits: 0 });
const tiny = 0.0005;

export const number = (value) => (value !== 0 && Math.abs(value) < tiny ? value.toExponential(0) : three.format(value));
export const score = (value) => fixed.format(value);
export const count = (value, one, many = `${one}s`) => `${whole.format(value)} ${value === 1 ? one : many}`;
export const percent = (value) => percents.format(value);
export const seconds = (milliseconds) => (milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`);

const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: "UTC" });

/** `<time>` of an ISO date; the hour and the zone are in its title. */
export function when(iso) {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return el("span", {}, String(iso));
  return el("time", { datetime: date.toISOString(), title: `${day.format(date)}, ${clock.format(date)} UTC` }, day.format(date));
}

export const onDay = (iso) => day.format(new Date(iso));

/** Grey bars where rows will stand. */
export function skeleton(rows) {
  const bars = Array.from({ length: rows }, () => el("li", { class: "bone" }));
  return el("ul", { class: "bones", "aria-hidden": "true" }, bars);
}

let speaking;
/** Tell a screen reader, once things stand still. */
export function say(text) {
  clearTimeout(speaking);
  speaking = setTimeout(() => (byId("said").textContent = text), 400);
}

export const gently = () => !matchMedia("(prefers-reduced-motion: reduce)").matches;
