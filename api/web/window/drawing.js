// Paths as a graph, by Cytoscape.js: the shopper, what was had, and what may come next, in three columns.

import { el, number, titleOf, twins } from "./dom.js";

const ROW = 58; // pixels that a node with its name needs
const LEAST = 260;
const THINNEST = 0.8, THICKEST = 7; // pixels of a line

let library = null;
/** Cytoscape.js, or null where the server could not fetch it. */
const load = () => (library ??= import("./cytoscape.js").then(() => globalThis.cytoscape, () => ((library = null), null)));

/** The strongest paths of a whole list: of the first items each its best ones, over at most so many triggers. */
export function strongest(answer, titles, { items = 10, each = 3, triggers = 10 } = {}) {
  const paths = answer.items.slice(0, items).flatMap((item) =>
    [...(item.paths ?? [])].sort((a, b) => b.path - a.path).slice(0, each).map((path) => ({ ...path, item })),
  );
  return graph(answer.user, paths, titles, triggers);
}

/** The paths of GET /users/{user}/explanations/{item}. */
export function explained(answer, triggers = 7) {
  const item = { id: answer.item, title: answer.title, score: answer.score };
  const served = answer.paths.filter((path) => path.served);
  const titles = new Map(served.map((path) => [path.trigger, path.trigger_title]));
  return graph(answer.user, served.map((path) => ({ ...path, item })), titles, triggers);
}

function graph(user, paths, titles, most) {
  const sums = new Map();
  for (const path of paths) sums.set(path.trigger, (sums.get(path.trigger) ?? 0) + path.path);
  const kept = new Set([...sums].sort((a, b) => b[1] - a[1]).slice(0, most).map(([id]) => id));
  const drawn = paths.filter((path) => kept.has(path.trigger));
  const items = [...new Map(drawn.map((path) => [path.item.id, path.item])).values()];
  const place = new Map(items.map((item, index) => [item.id, index]));
  const mean = (id) => {
    const ends = drawn.filter((path) => path.trigger === id);
    const weight = ends.reduce((sum, path) => sum + path.path, 0);
    return ends.reduce((sum, path) => sum + place.get(path.item.id) * path.path, 0) / weight;
  };
  const triggers = [...kept].sort((a, b) => (items.length > 1 ? mean(a) - mean(b) : sums.get(b) - sums.get(a)));
  const weightOf = new Map(drawn.map((path) => [path.trigger, path.trigger_weight]));
  return {
    user,
    items,
    paths: drawn,
    few: items.length === 1,
    triggers: triggers.map((id) => ({ id, title: titles.get(id) ?? drawn.find((path) => path.trigger === id).title ?? id, weight: weightOf.get(id) })),
  };
}

export class Drawing {
  /** @param open called with the id of an item that is clicked */
  constructor(body, open) {
    Object.assign(this, { body, open, cy: null, shown: null });
    this.canvas = el("div", { class: "canvas", role: "img" });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.again());
    let width = 0;
    new ResizeObserver(([entry]) => {
      if (Math.abs(entry.contentRect.width - width) > 2) this.again();
      width = entry.contentRect.width;
    }).observe(body);
  }

  again() {
    if (this.shown && this.body.clientWidth) this.show(this.shown);
  }

  async show(shown) {
    this.shown = shown;
    if (!shown.paths.length) return this.clear("No path leads here: the score is the direct part alone.");
    const cytoscape = await load();
    if (this.shown !== shown) return;
    if (!cytoscape) return this.clear("No drawing: the server could not fetch the library that draws. The lists say the same.");
    const width = this.body.clientWidth;
    if (!width) return;
    const rows = Math.max(shown.triggers.length, shown.items.length);
    const height = Math.max(LEAST, rows * ROW + 20);
    this.canvas.style.height = `${height}px`;
    this.canvas.setAttribute("aria-label", told(shown));
    this.cy?.destroy();
    this.body.replaceChildren(this.canvas);
    const look = colours(this.body);
    this.cy = cytoscape({
      container: this.canvas,
      elements: elements(shown, place(shown, width, height)),
      style: style(look, width < 420),
      layout: { name: "preset", fit: false },
      userZoomingEnabled: false,
      userPanningEnabled: false,
      boxSelectionEnabled: false,
      autoungrabify: true,
      autounselectify: true,
      pixelRatio: Math.min(2, devicePixelRatio || 1),
    });
    this.cy.on("tap", "node[item]", (event) => this.open(event.target.data("item")));
    this.cy.on("mouseover", "node", (event) => this.focusOn(event.target));
    this.cy.on("mouseout", "node", () => this.focusOn(null));
  }

  clear(text) {
    this.cy?.destroy();
    this.cy = null;
    this.body.replaceChildren(el("p", { class: "hint" }, text));
  }

  /** Show one item's paths alone; null: all again. */
  point(id) {
    if (this.cy) this.focusOn(id === null ? null : this.cy.getElementById(`item ${id}`));
  }

  focusOn(node) {
    this.canvas.style.cursor = node?.data("item") ? "pointer" : "";
    const { cy } = this;
    cy.batch(() => {
      cy.elements().removeClass("faint near");
      if (!node?.length) return;
      // Only whole paths: for a trigger the shopper and its items, for an item its triggers and the shopper.
      const near = node.data("kind") === "user" ? cy.elements() : node.union(node.predecessors()).union(node.successors());
      cy.elements().not(near).addClass("faint");
      near.edges().addClass("near");
    });
  }
}

function told(shown) {
  const items = shown.items.length === 1 ? titleOf(shown.items[0]) : `${shown.items.length} items`;
  return `Drawing of ${shown.paths.length} paths from shopper ${shown.user} over ${shown.triggers.length} items that were had to ${items}. The lists beside it say the same.`;
}

const spread = (index, many, height) => ((index + 0.5) / many) * (height - 16);

function place(shown, width, height) {
  const edge = width < 420 ? 46 : 66; // half the width of a name
  const middle = (28 + width - edge) * (width < 420 ? 0.42 : 0.45);
  const at = new Map([["user", { x: 30, y: spread(0, 1, height) }]]);
  shown.triggers.forEach((one, index) => at.set(`had ${one.id}`, { x: middle, y: spread(index, shown.triggers.length, height) }));
  shown.items.forEach((one, index) => at.set(`item ${one.id}`, { x: width - edge, y: spread(index, shown.items.length, height) }));
  return at;
}

function elements(shown, at) {
  const node = (id, data) => ({ group: "nodes", classes: /\S{18}/.test(data.label) ? "unbroken" : "", data: { id, ...data }, position: at.get(id) });
  const scale = (list) => {
    const most = Math.max(...list) || 1;
    return (value) => THINNEST + (THICKEST - THINNEST) * Math.sqrt(Math.max(0, value) / most);
  };
  const first = scale(shown.triggers.map((one) => one.weight));
  const second = scale(shown.paths.map((one) => one.similar_weight));
  const line = (id, source, target, weight, width, kind) => ({
    group: "edges",
    classes: shown.few ? "told" : "",
    data: { id, source, target, width, kind, label: number(weight), ...curve(at.get(source), at.get(target)) },
  });
  return [
    node("user", { kind: "user", label: shown.user.length > 12 ? "shopper" : shown.user }),
    ...labelled(shown.triggers).map(([one, label]) => node(`had ${one.id}`, { kind: "had", label, item: one.id })),
    ...labelled(shown.items).map(([one, label]) => node(`item ${one.id}`, { kind: "item", label, item: one.id })),
    ...shown.triggers.map((one) => line(`1 ${one.id}`, "user", `had ${one.id}`, one.weight, first(one.weight), "first")),
    ...shown.paths.map((one) => line(`2 ${one.trigger} ${one.item.id}`, `had ${one.trigger}`, `item ${one.item.id}`, one.similar_weight, second(one.similar_weight), "second")),
  ];
}

/** Nodes with their names; the id stands with a name that several have. */
function labelled(list) {
  const shared = twins(list);
  return list.map((one) => [one, shared.has(titleOf(one)) ? `${titleOf(one)} (${one.id})` : titleOf(one)]);
}

/** Two control points that let a line leave and arrive level, as Cytoscape.js wants them: along the line and beside it. */
function curve(from, to) {
  const dx = to.x - from.x, dy = to.y - from.y, length = Math.hypot(dx, dy);
  const points = [{ x: dx * 0.4, y: 0 }, { x: dx * 0.6, y: dy }];
  return {
    weights: points.map((p) => (p.x * dx + p.y * dy) / length ** 2),
    distances: points.map((p) => (-p.x * dy + p.y * dx) / length),
  };
}

function colours(body) {
  const found = getComputedStyle(body);
  const get = (name) => found.getPropertyValue(`--${name}`).trim();
  return { font: found.fontFamily, ink: get("ink"), muted: get("muted"), card: get("card"), user: get("ink"), had: get("had"), item: get("paths") };
}

function style(look, small) {
  return [
    {
      selector: "node",
      style: {
        label: "data(label)", color: look.ink, "font-family": look.font, "font-size": small ? 10 : 11.5, width: 18, height: 18, "border-width": 2,
        "border-color": look.card, "text-valign": "bottom", "text-margin-y": 4, "text-wrap": "wrap", "text-max-width": small ? 88 : 128, 
        "text-background-color": look.card, "text-background-opacity": 0.7, "text-background-padding": 1, "text-background-shape": "roundrectangle", "z-index": 2,
      },
    },
    { selector: ".unbroken", style: { "text-overflow-wrap": "anywhere" } }, // else a long word would leave the page
    { selector: "node[kind = 'user']", style: { "background-color": look.user, width: 30, height: 30, "font-weight": "bold" } },
    { selector: "node[kind = 'had']", style: { "background-color": look.had } },
    { selector: "node[kind = 'item']", style: { "background-color": look.item, width: 22, height: 22 } },
    {
      selector: "edge",
      style: {
        width: "data(width)", "line-opacity": 0.5, "curve-style": "unbundled-bezier", "edge-distances": "node-position", "control-point-weights": "data(weights)",
        "control-point-distances": "data(distances)", "line-cap": "round", "font-family": look.font, "font-size": 10, color: look.muted, "text-background-color": look.card,
        "text-background-opacity": 0.9, "text-background-padding": 2,
      },
    },
    { selector: "edge[kind = 'first']", style: { "line-color": look.had } },
    { selector: "edge[kind = 'second']", style: { "line-color": look.item } },
    { selector: "edge.near", style: { label: "data(label)", "line-opacity": 0.85 } },
    { selector: "edge.told", style: { label: "data(label)" } },
    { selector: ".faint", style: { opacity: 0.12 } },
  ];
}

