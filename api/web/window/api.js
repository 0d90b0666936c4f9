// The REST API: one function that asks, and what can come back instead of an answer.

const base = new URL(".", document.baseURI);
const PATIENCE = 20_000; // milliseconds
const SLOW = [500, 1500, 3000]; // milliseconds before a read is tried again that took the database too long
const STORED = "twohop-key";

/** The server answered, but not with what was asked for. `detail` is its own line. */
export class Refused extends Error {
  constructor(status, detail, retryAfter) {
    super(detail);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/** No answer at all. */
export class Unreachable extends Error {}

export const key = {
  get: () => sessionStorage.getItem(STORED),
  set: (value) => sessionStorage.setItem(STORED, value),
  forget: () => sessionStorage.removeItem(STORED),
};

/** An id as one part of a path. */
export const part = (id) => encodeURIComponent(id);

/** The JSON that a route answers with. `query` leaves out what is null; `body` makes it a POST. */
export async function ask(path, options = {}) {
  for (let tries = 0; ; tries++) {
    try {
      return await once(path, options);
    } catch (error) {
      // A database that was only slow, as just after its start, gets another chance.
      if (error.status !== 504 || options.body || tries === SLOW.length) throw error;
      await new Promise((resolve) => setTimeout(resolve, SLOW[tries]));
      options.signal?.throwIfAborted();
    }
  }
}

async function once(path, { query = {}, body = null, signal = null }) {
  const url = new URL(path, base);
  for (const [name, value] of Object.entries(query)) if (value !== null && value !== undefined) url.searchParams.set(name, value);
  const limit = AbortSignal.timeout(PATIENCE);
  const headers = { Accept: "application/json" };
  if (key.get()) headers["X-API-Key"] = key.get();
  if (body) headers["Content-Type"] = "application/json";
  let response, text;
  try {
    response = await fetch(url, {
      method: body ? "POST" : "GET",
      headers,
      body: body && JSON.stringify(body),
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
      cache: "no-store",
      credentials: "omit",
    });
    text = await response.text();
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    throw new Unreachable(error.name === "TimeoutError" ? "the server takes too long" : "the server does not answer");
  }
  if (response.ok) return parse(text);
  const said = parse(text)?.detail;
  throw new Refused(response.status, said || `the server answered ${response.status}`, Number(response.headers.get("Retry-After")) || null);
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** How the server is: "ready", "waiting" for its database, or "away"; never throws. */
export async function health() {
  try {
    await once("health/ready", {});
    return "ready";
  } catch (error) {
    if (error instanceof Unreachable) return "away";
    // A store without weights is not ready either, but it answers: its own panels say what is missing.
    return /twohop/.test(error.message) ? "ready" : "waiting";
  }
}
