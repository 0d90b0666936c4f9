// What is shown, in the part of the address behind the #: so a link, a reload and the back button show it again.

const NUMBERS = { m: [1, 1000], neighbours: [1, 1000], k: [1, 100], lambda: [0, 10], tau: [0, 10], alpha: [0, 2.7] };

export const DEFAULTS = { m: 300, neighbours: 100, k: 10, lambda: 1, tau: 1, alpha: 2 };

/** {user, item, m, …}: null for what the address does not say. */
export function read() {
  const given = new URLSearchParams(location.hash.slice(1));
  const shown = { user: given.get("user") || null, item: given.get("item") || null };
  for (const [name, [least, most]] of Object.entries(NUMBERS)) {
    const value = Number.parseFloat(given.get(name));
    shown[name] = Number.isFinite(value) ? Math.min(most, Math.max(least, value)) : null;
  }
  return shown;
}

export function link(shown) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(shown)) {
    if (value !== null && value !== undefined && value !== DEFAULTS[name]) query.set(name, value);
  }
  return `#${query}`;
}

/** The key that the command printed with the address; taken out of it, so that it stands in no history and on no picture. */
export function takeKey() {
  const given = new URLSearchParams(location.hash.slice(1));
  const found = given.get("key");
  if (found !== null) {
    given.delete("key");
    history.replaceState(null, "", `${location.pathname}${location.search}${given.size ? `#${given}` : ""}`);
  }
  return found?.trim() || null;
}
