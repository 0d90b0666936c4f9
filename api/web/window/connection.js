// The line across the page while the server is away: it counts down, asks again, and goes by itself.

import { health } from "./api.js";
import { byId, el, say } from "./dom.js";

const WHY = { away: "The server does not answer.", waiting: "The server is there, but its database does not answer." };
const PAUSES = [2, 3, 5, 8, 10]; // seconds between two tries, the last one from then on

export class Connection {
  /** @param back called when the server is there again */
  constructor(back) {
    Object.assign(this, { back, tries: 0, timer: null });
  }

  get away() {
    return this.timer !== null;
  }

  /** @param how see `health` */
  lost(how) {
    if (this.away) return;
    document.body.classList.add("away");
    this.tries = 0;
    this.why = el("span", {}, WHY[how]);
    this.left = el("span", { class: "left" });
    byId("notice").replaceChildren(
      this.why,
      el("span", { "aria-hidden": "true" }, " Trying again in ", this.left, "."),
      el("button", { type: "button", on: { click: () => this.retry() } }, "Try now"),
    );
    byId("notice").hidden = false;
    this.wait();
  }

  wait() {
    let left = PAUSES[Math.min(this.tries++, PAUSES.length - 1)];
    const tick = () => {
      this.left.textContent = `${left} s`;
      if (left-- <= 0) this.retry();
      else this.timer = setTimeout(tick, 1000);
    };
    tick();
  }

  async retry() {
    clearTimeout(this.timer);
    const how = await health();
    if (how !== "ready") {
      if (this.why.textContent !== WHY[how]) this.why.textContent = WHY[how];
      return this.wait();
    }
    this.timer = null;
    document.body.classList.remove("away");
    byId("notice").hidden = true;
    say("The server is there again.");
    this.back();
  }
}
