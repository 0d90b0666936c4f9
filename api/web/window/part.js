// One part of the page that loads by itself: skeleton, content, or one line that says why there is none.

import { Refused, Unreachable, health } from "./api.js";
import { el, skeleton } from "./dom.js";

export class Part {
  /**
   * @param body element that holds the content
   * @param rows of the skeleton
   * @param app {lost("away" | "waiting"), refused(error), unknown(error)}: what concerns the page as a whole
   */
  constructor(body, rows, app) {
    Object.assign(this, { body, rows, app, asking: null, waiting: null, loaded: null });
  }

  /** Asks by `find(signal)` and shows by `draw(answer)`, unless it is asked again meanwhile. `fresh`: of somebody else. */
  async load(find, draw, fresh = false) {
    this.stop();
    const asking = (this.asking = new AbortController());
    const again = () => this.load(find, draw, fresh);
    const slow = fresh || this.loaded === null ? 0 : 250;
    this.waiting = setTimeout(() => this.wait(fresh || this.loaded === null), slow);
    try {
      const answer = await find(asking.signal);
      if (asking.signal.aborted) return null;
      this.settle();
      this.loaded = answer;
      draw(answer);
      return answer;
    } catch (error) {
      if (!asking.signal.aborted) await this.fail(error, again, asking.signal);
      return null;
    }
  }

  stop() {
    clearTimeout(this.waiting);
    this.asking?.abort();
  }

  wait(empty) {
    this.body.setAttribute("aria-busy", "true");
    if (empty) this.body.replaceChildren(skeleton(this.rows));
  }

  settle() {
    clearTimeout(this.waiting);
    this.body.removeAttribute("aria-busy");
  }

  async fail(error, again, signal) {
    if (!(error instanceof Refused || error instanceof Unreachable)) {
      this.settle();
      throw error; // a mistake of the page's own
    }
    if (error.status === 401) return this.app.refused(error);
    if (error instanceof Unreachable) return this.app.lost("away");
    const how = error.status === 503 ? await health() : "ready";
    if (how !== "ready") return this.app.lost(how);
    if (signal.aborted) return;
    this.settle();
    if (error.status === 404 && this.app.unknown(error)) return;
    this.loaded = null;
    if (error.status === 429) this.waiting = setTimeout(again, 1000 * (error.retryAfter ?? 5));
    this.body.replaceChildren(trouble(error, again));
  }
}

function trouble(error, again) {
  if (error.status === 503 && /intents/.test(error.message)) {
    return el("div", { class: "hint" }, el("p", {}, "No intents are linked to this store yet."), el("p", {}, "To have them, run ", el("code", {}, "twohop intents mine"), " and ", el("code", {}, "twohop intents link"), "."));
  }
  return el(
    "div",
    { class: "hint" },
    el("p", { dir: "auto" }, sentence(error.message)),
    error.status === 429 ? el("p", {}, "It goes on by itself.") : el("button", { type: "button", on: { click: again } }, "Try again"),
  );
}

export const sentence = (text) => `${text[0].toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
