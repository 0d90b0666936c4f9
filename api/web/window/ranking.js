// A ranked list with its sliders, and the list that it is compared with.

import { DEFAULTS } from "./address.js";
import { sliders } from "./controls.js";
import { compare, line } from "./moves.js";

const SETTINGS = "the default settings";
const LENGTH = "k"; // a longer list is the same list: it moves nothing

export class Ranking {
  /** `controls`: where the sliders go; `list`: which ones, see controls.js */
  constructor(controls, list, page) {
    const names = list.map((one) => one.name);
    Object.assign(this, { page, names, judged: names.filter((name) => name !== LENGTH) });
    this.reset();
    this.set = sliders(controls, list, (name, value) => {
      if (name === LENGTH) this.reset();
      page.set(name, value === DEFAULTS[name] ? null : value);
    });
  }

  reset() {
    Object.assign(this, { base: null, against: SETTINGS, last: null });
  }

  /** Whether a setting that orders the list differs from its default. */
  get moved() {
    return this.judged.some((name) => this.page.given(name) !== null);
  }

  /** Whether the list of the default settings has to be asked for. */
  needsBase() {
    return this.moved && this.base === null;
  }

  compareWith(ids) {
    this.base = ids;
  }

  /** What moved in a fresh list. */
  judge(ids) {
    if (!this.moved && this.against === SETTINGS) this.base = ids;
    this.last = ids;
    return compare(this.base ?? ids, ids);
  }

  /** The line above the list; null where there is nothing to compare. */
  line(compared) {
    if (!this.moved && this.against === SETTINGS) return null;
    return line(compared, this.against, this.moved ? () => this.page.reset(this.judged) : null);
  }

  /** From now on compare with the list as it stands. */
  keep(against) {
    Object.assign(this, { base: this.last, against });
  }
}
