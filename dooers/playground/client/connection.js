/** The WebSocket of a client: it reconnects with back-off, notices a dead connection, and pairs answers with requests. */

import { ConnectionLost, ServerError } from "./errors.js";
import { newId } from "./id.js";
import { parseJson } from "./numbers.js";

/** @typedef {import("./types.js").ClientState} ClientState */
/** @typedef {import("./types.js").Frame} Frame */
/** @typedef {import("./types.js").FrameRecord} FrameRecord */

/**
 * @typedef {object} Pending
 * @property {string} type the type of the request
 * @property {any} payload the payload of the request
 * @property {number} size the length of the frame
 * @property {(payload: any) => void} resolve
 * @property {(error: Error) => void} reject
 */

/** @typedef {{type: string, payload: any, resolve: (payload: any) => void, reject: (error: Error) => void}} Waiting */

/**
 * @typedef {object} Listener
 * @property {() => object} hello returns the payload of `connect`
 * @property {() => void} onConnected is called after each accepted `connect`
 * @property {(state: ClientState) => void} onState
 * @property {(frame: Frame) => void} onFrame receives every readable frame
 * @property {(record: FrameRecord) => void} onTraffic receives every message in both directions
 */

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 15_000;
/** A connection that lasted this long resets the back-off. */
const STABLE_MS = 5_000;
/** The time until `connect` must be answered. */
const CONNECT_TIMEOUT_MS = 15_000;
/** The time without any frame after which the client sends a ping. */
const SILENCE_MS = 25_000;
const PONG_TIMEOUT_MS = 10_000;

/** The code with which a server closes a connection that it cannot serve for now. */
const TRY_LATER = 1013;

/** A clock for the length of time, which nobody sets. */
const clock = () => performance.now();

/** Answers that are not an `ack`. Their `id` is not the id of the request. */
const ANSWERS = new Map([
  ["ping", "pong"],
  ["event.list", "event.list.result"],
  ["thread.list", "thread.list.result"],
  ["thread.subscribe", "thread.snapshot"],
  ["feedback", "feedback.ack"],
  ["settings.public_schema", "settings.public_schema.result"],
]);

/** Refusals of `connect` that may pass by themselves. */
const PASSING = ["RATE_LIMITED", "OVERLOADED", "INTERNAL_ERROR"];

/** Whether an answer belongs to a request of its kind. The server answers requests in their order. */
function answers(/** @type {any} */ answer, /** @type {any} */ request) {
  const thread = answer?.thread_id ?? answer?.thread?.id;
  return (
    (thread === undefined || thread === request?.thread_id) &&
    (answer?.target_id === undefined || answer.target_id === request?.target_id)
  );
}

export class Connection {
  /** @type {ClientState} */
  state = { phase: "stopped" };
  #url;
  #listener;
  /** @type {WebSocket | null} */
  #socket = null;
  /** @type {Map<string, Pending>} */
  #pending = new Map();
  /** Requests that wait for the connection. @type {Waiting[]} */
  #waiting = [];
  /** @type {ClientState["server"]} */
  #server;
  #started = false;
  #attempts = 0;
  #connectedAt = 0;
  #heardAt = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retryTimer;
  /** Ends the wait for `connect`, for a frame, or for a pong. @type {ReturnType<typeof setTimeout> | undefined} */
  #watchTimer;

  /**
   * @param {string} url
   * @param {Listener} listener
   */
  constructor(url, listener) {
    this.#url = url;
    this.#listener = listener;
  }

  get connected() {
    return this.state.phase === "connected";
  }

  start() {
    if (this.#started) return;
    this.#started = true;
    globalThis.addEventListener?.("online", this.#onWake);
    globalThis.document?.addEventListener("visibilitychange", this.#onWake);
    globalThis.document?.addEventListener("resume", this.#onWake);
    this.reconnect();
  }

  stop() {
    if (!this.#started) return;
    this.#started = false;
    globalThis.removeEventListener?.("online", this.#onWake);
    globalThis.document?.removeEventListener("visibilitychange", this.#onWake);
    globalThis.document?.removeEventListener("resume", this.#onWake);
    this.#drop(new ConnectionLost("the client was stopped"));
    this.#giveUp({ phase: "stopped" }, new ConnectionLost("the client was stopped"));
  }

  /** Connects now, unless the client is connected or connects already. */
  reconnect() {
    if (!this.#started || this.#socket) return;
    clearTimeout(this.#retryTimer);
    this.#setState({ phase: "connecting" });
    try {
      this.#open(new WebSocket(this.#url));
    } catch (error) {
      // The address is not valid.
      this.#giveUp({ phase: "refused", error: /** @type {Error} */ (error) }, /** @type {Error} */ (error));
    }
  }

  /**
   * Sends `connect` again. A refusal leaves the connection as it is.
   *
   * @returns {Promise<void>}
   */
  async renew() {
    if (this.connected) {
      const { server } = await this.#send("connect", this.#listener.hello());
      this.#accepted(server);
    } else if (this.#started) {
      this.#drop(new ConnectionLost("the identity is renewed"));
      this.reconnect();
      await this.request("ping", {});
    }
  }

  /**
   * Sends a request, as soon as the client is connected.
   *
   * @param {string} type
   * @param {any} payload
   * @returns {Promise<any>} the payload of the answer
   */
  request(type, payload) {
    if (this.connected) return this.#send(type, payload);
    if (this.state.phase === "refused") return Promise.reject(this.state.error);
    return new Promise((resolve, reject) => this.#waiting.push({ type, payload, resolve, reject }));
  }

  /** @param {string} text */
  sendRaw(text) {
    if (this.#socket?.readyState !== WebSocket.OPEN) throw new ConnectionLost("there is no connection");
    const frame = read(text);
    const { id, type, payload } = frame ?? {};
    if (typeof id === "string" && typeof type === "string" && !this.#pending.has(id)) {
      // Its answer must not be taken for the answer to a request of the same type. A new identity ends all subscriptions.
      const resolve = type === "connect" ? ({ server = {} }) => this.#accepted(server) : () => {};
      this.#pending.set(id, { type, payload, size: text.length, resolve, reject: () => {} });
    }
    this.#transmit(text, frame);
  }

  /**
   * @param {string} type
   * @param {any} payload
   * @returns {Promise<any>}
   */
  #send(type, payload) {
    const frame = { id: newId(), type, payload };
    const text = write(frame);
    return new Promise((resolve, reject) => {
      this.#pending.set(frame.id, { type, payload, size: text.length, resolve, reject });
      this.#transmit(text, frame);
    });
  }

  /**
   * @param {string} text
   * @param {Frame | null} frame
   */
  #transmit(text, frame) {
    this.#socket?.send(text);
    this.#listener.onTraffic({ direction: "out", at: Date.now(), text, frame });
  }

  /** @param {WebSocket} socket */
  #open(socket) {
    this.#socket = socket;
    this.#watch(CONNECT_TIMEOUT_MS, () => this.#lose(new ConnectionLost("the server did not answer in time")));
    socket.onopen = () => {
      this.#send("connect", this.#listener.hello()).then(
        ({ server }) => this.#accepted(server),
        (error) => this.#refused(error),
      );
    };
    socket.onmessage = ({ data }) => {
      this.#heardAt = clock();
      if (typeof data === "string") this.#receive(data);
    };
    socket.onclose = ({ code, reason }) => {
      if (code === 1009) this.#rejectLargest();
      if (code === 1008) this.#refuse(new ConnectionLost(reason || "the server refused the connection"));
      else this.#lose(new ConnectionLost(reason || this.#reasonOf(code), code));
    };
  }

  /** @param {number} code */
  #reasonOf(code) {
    if (code === TRY_LATER) return "the server is busy";
    return this.connected ? undefined : "the server cannot be reached";
  }

  /** @param {ClientState["server"]} server */
  #accepted(server = {}) {
    this.#connectedAt = clock();
    this.#server = server;
    this.#listen();
    this.#setState({ phase: "connected" });
    this.#listener.onConnected();
    for (const { type, payload, resolve, reject } of this.#waiting.splice(0)) {
      this.#send(type, payload).then(resolve, reject);
    }
  }

  /** @param {Error} error why `connect` failed */
  #refused(error) {
    // A lost connection is handled where it is noticed.
    if (!(error instanceof ServerError)) return;
    if (PASSING.includes(error.code)) this.#lose(error, error.retryAfterMs);
    else this.#refuse(error);
  }

  /** @param {string} text */
  #receive(text) {
    const frame = read(text);
    this.#listener.onTraffic({ direction: "in", at: Date.now(), text, frame });
    if (!frame) return;
    this.#answer(frame);
    this.#listener.onFrame(frame);
  }

  /** Settles the request that a frame answers. @param {Frame} frame */
  #answer({ id = "", type, payload }) {
    if (type !== "ack") {
      for (const [key, pending] of this.#pending) {
        if (ANSWERS.get(pending.type) === type && (key === id || answers(payload, pending.payload))) {
          this.#pending.delete(key);
          pending.resolve(payload);
          return;
        }
      }
      return;
    }
    const pending = this.#pending.get(payload?.ack_id);
    if (!pending) return;
    this.#pending.delete(payload.ack_id);
    if (payload.ok) {
      pending.resolve(payload);
      return;
    }
    const error = new ServerError(payload.error);
    pending.reject(error);
    // The identity has expired. A renewal that fails leaves the connection as it is.
    if (error.code === "UNAUTHORIZED" && this.connected && pending.type !== "connect") this.#refuse(error);
  }

  /** The server closed the connection because of a frame above its size limit, which must not be sent again. */
  #rejectLargest() {
    const [largest] = [...this.#pending].sort(([, one], [, other]) => other.size - one.size);
    if (!largest) return;
    this.#pending.delete(largest[0]);
    largest[1].reject(new ServerError({ code: "TOO_LARGE", message: "this is too large for the server" }));
  }

  /**
   * @param {number} delay
   * @param {() => void} action
   */
  #watch(delay, action) {
    clearTimeout(this.#watchTimer);
    this.#watchTimer = setTimeout(action, delay);
  }

  /** Waits until nothing was received for a while, and then for the answer to a ping. */
  #listen() {
    const silence = clock() - this.#heardAt;
    if (silence < SILENCE_MS) {
      this.#watch(SILENCE_MS - silence, () => this.#listen());
    } else {
      this.#probe();
    }
  }

  /** Sends a ping. Any frame within its time shows that the connection works. */
  #probe() {
    const asked = clock();
    this.#send("ping", {}).catch(() => {});
    this.#watch(PONG_TIMEOUT_MS, () => {
      if (this.#heardAt >= asked) this.#listen();
      else this.#lose(new ConnectionLost("the server did not answer a ping"));
    });
  }

  /** The network is back, the page is visible again, or the browser no longer suspends it. */
  #onWake = (/** @type {Event} */ { type }) => {
    if (type === "visibilitychange" && document.hidden) return;
    if (this.state.phase === "waiting") this.reconnect();
    else if (this.connected) this.#probe();
  };

  /**
   * Closes the socket, and connects again after a delay.
   *
   * @param {Error} error
   * @param {number} [atLeast] a delay that the server asked for, in milliseconds
   */
  #lose(error, atLeast = 0) {
    if (this.#connectedAt && clock() - this.#connectedAt >= STABLE_MS) this.#attempts = 0;
    this.#drop(error);
    const longest = Math.min(FIRST_DELAY_MS * 2 ** this.#attempts, LONGEST_DELAY_MS);
    this.#attempts += 1;
    const delay = Math.max(longest * (0.5 + Math.random() / 2), atLeast);
    // Browsers fire a timer of more than 24 days at once.
    this.#retryTimer = setTimeout(() => this.reconnect(), Math.min(delay, 2 ** 31 - 1));
    this.#setState({ phase: "waiting", retryAt: Date.now() + delay, error });
  }

  /** @param {Error} error */
  #refuse(error) {
    this.#drop(error);
    this.#giveUp({ phase: "refused", error }, error);
  }

  /**
   * @param {ClientState} state
   * @param {Error} error
   */
  #giveUp(state, error) {
    clearTimeout(this.#retryTimer);
    this.#setState(state);
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  /** Closes the socket without waiting for the server, which may not be there. @param {Error} error */
  #drop(error) {
    clearTimeout(this.#watchTimer);
    const socket = this.#socket;
    this.#socket = null;
    this.#connectedAt = 0;
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
    }
    const lost = error instanceof ConnectionLost ? error : new ConnectionLost(error.message);
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of pending) reject(lost);
  }

  /** @param {ClientState} state */
  #setState(state) {
    this.state = { ...state, server: this.#server };
    this.#listener.onState(this.state);
  }
}

/**
 * Writes a frame. Halves of surrogate pairs, which the server refuses, become replacement characters.
 *
 * @param {Frame} frame
 */
function write(frame) {
  // JSON has escapes of surrogates for such halves only. An escaped backslash before a `u` is not an escape.
  return JSON.stringify(frame).replace(/\\(?:\\|ud[89a-f][0-9a-f]{2})/g, (escape) => (escape === "\\\\" ? escape : "\ufffd"));
}

/**
 * Reads a frame. Returns null for a text that is not one.
 *
 * @param {string} text
 * @returns {Frame | null}
 */
function read(text) {
  try {
    const frame = parseJson(text);
    return frame !== null && typeof frame === "object" && !Array.isArray(frame) ? frame : null;
  } catch {
    return null;
  }
}
