/** One socket for a whole page: follows jobs and scopes, comes back by itself, misses nothing. */

const FIRST_DELAY_S = 0.8;
const LONGEST_DELAY_S = 30;
const PING_EVERY_MS = 30_000;
const ANSWER_WITHIN_MS = 10_000;
const SIGNED_OUT = 4401;

/**
 * Events: `state` (detail: {state, seconds}) with state `connecting`, `live`, `reconnecting`, `offline` or
 * `signed_out`; `problem` (detail: an error frame).
 */
export class Line extends EventTarget {
  /** @type {WebSocket | null} */
  #socket = null;
  #jobs = new Map();
  #scopes = new Map();
  #failures = 0;
  #retryAt = 0;
  #timer = 0;
  #pinger = 0;
  #deadline = 0;
  state = "connecting";

  /** @param {string} url */
  constructor(url) {
    super();
    this.url = url;
    addEventListener("online", () => this.#retryNow());
    addEventListener("offline", () => this.#tick());
    document.addEventListener("visibilitychange", () => document.hidden || this.#retryNow());
  }

  open() {
    clearTimeout(this.#timer);
    const socket = new WebSocket(this.url);
    this.#socket = socket;
    socket.addEventListener("open", () => this.#opened());
    socket.addEventListener("message", (event) => this.#heard(event.data));
    socket.addEventListener("close", (event) => socket === this.#socket && this.#closed(event.code));
  }

  /** @param {string} job @param {number} since the last seq that is known @param {(frame: any) => void} tell */
  followJob(job, since, tell) {
    this.#jobs.set(job, { seq: since, tell });
    this.send({ task: "subscribe", job, since, batch: true });
  }

  /** @param {"portal" | "system"} scope @param {(frame: any) => void} tell */
  followScope(scope, tell) {
    this.#scopes.set(scope, tell);
    this.send({ task: "subscribe", scope });
  }

  /** @returns {boolean} whether there was a connection to send it over */
  send(message) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  #opened() {
    this.#failures = 0;
    this.#setState("live");
    for (const scope of this.#scopes.keys()) this.send({ task: "subscribe", scope });
    for (const [job, { seq }] of this.#jobs) this.send({ task: "subscribe", job, since: seq, batch: true });
    this.#pinger = setInterval(() => this.#ping(), PING_EVERY_MS);
  }

  /** A line can die without a word: no answer in time means that it did. */
  #ping() {
    this.send({ task: "ping" });
    this.#deadline = setTimeout(() => this.#closed(0), ANSWER_WITHIN_MS);
  }

  #heard(text) {
    clearTimeout(this.#deadline);
    const data = JSON.parse(text);
    for (const frame of Array.isArray(data) ? data : [data]) this.#pass(frame);
  }

  #pass(frame) {
    if (frame.scope) this.#scopes.get(frame.scope)?.(frame);
    else if (frame.status === "error") this.dispatchEvent(new CustomEvent("problem", { detail: frame }));
    else if (frame.seq) this.#passJob(frame);
  }

  #passJob(frame) {
    const followed = this.#jobs.get(frame.job);
    if (!followed || frame.seq <= followed.seq) return;
    followed.seq = frame.seq;
    followed.tell(frame);
  }

  #closed(code) {
    clearInterval(this.#pinger);
    clearTimeout(this.#deadline);
    const dead = this.#socket;
    this.#socket = null;
    dead?.close();
    if (code === SIGNED_OUT) return this.#setState("signed_out");
    const longest = Math.min(LONGEST_DELAY_S, FIRST_DELAY_S * 2 ** this.#failures++);
    this.#retryAt = Date.now() + 1000 * longest * (0.5 + Math.random() / 2);
    this.#tick();
  }

  /** Once a second: say how long it still takes, then try. */
  #tick() {
    clearTimeout(this.#timer);
    if (this.#socket || this.state === "signed_out") return;
    const left = this.#retryAt - Date.now();
    if (left <= 0) return this.open();
    this.#setState(navigator.onLine ? "reconnecting" : "offline", Math.ceil(left / 1000));
    this.#timer = setTimeout(() => this.#tick(), Math.min(left, 1000));
  }

  #retryNow() {
    if (this.#socket) return;
    this.#retryAt = 0;
    this.#tick();
  }

  #setState(state, seconds = 0) {
    this.state = state;
    this.dispatchEvent(new CustomEvent("state", { detail: { state, seconds } }));
  }
}
