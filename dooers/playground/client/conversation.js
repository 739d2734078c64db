/** One thread as a client sees it: its events, runs and feedback, and the messages on their way to it. */

import { patiently, ServerError } from "./errors.js";
import { newId } from "./id.js";

/** @typedef {import("./types.js").ContentPart} ContentPart */
/** @typedef {import("./types.js").OutgoingMessage} OutgoingMessage */
/** @typedef {import("./types.js").Run} Run */
/** @typedef {import("./types.js").Thread} Thread */
/** @typedef {import("./types.js").ThreadEvent} ThreadEvent */

/**
 * The parts of a client that a conversation uses.
 *
 * @typedef {object} Host
 * @property {import("./connection.js").Connection} connection
 * @property {import("./outbox.js").Outbox} outbox
 * @property {(conversation: Conversation) => void} onClose
 */

const PAGE = 100;

/**
 * A thread, or a new conversation whose first message creates one. It dispatches `change` after every change. `events`,
 * `runs` and `feedback` are replaced when they change; events that did not change keep their identity.
 */
export class Conversation extends EventTarget {
  /** @type {string | null} */
  threadId;
  /** @type {Thread | null} */
  thread = null;
  /** The loaded events, by ascending `seq` and without gaps. @type {ThreadEvent[]} */
  events = [];
  /** The known runs by their ids. @type {Map<string, Run>} */
  runs = new Map();
  /** The user's own feedback by the ids of events. @type {Map<string, "like" | "dislike">} */
  feedback = new Map();
  /** Whether there are events before the first one of `events`. */
  hasMore = false;
  /** `missing`: the user sees no such thread. @type {"opening" | "open" | "deleted" | "missing" | "failed"} */
  state;
  /** @type {Error | undefined} */
  error;
  /** Identifies the messages of a conversation that has no thread yet. */
  id;
  #host;
  #isClosed = false;
  /** Whether live frames continue `events`. Until the snapshot arrives, the snapshot contains what they show. */
  #isLive = false;
  /** Distinguishes the present subscription from earlier ones. */
  #subscription = 0;
  /** @type {Promise<void> | null} */
  #older = null;

  /**
   * @param {Host} host
   * @param {string | null} threadId
   * @param {string} [id]
   */
  constructor(host, threadId, id = newId()) {
    super();
    this.#host = host;
    this.threadId = threadId;
    this.id = id;
    this.state = threadId === null ? "open" : "opening";
  }

  /** The messages that the server has not stored, the oldest first. */
  get outbox() {
    return this.#host.outbox.of(this.id, this.threadId);
  }

  /** The runs that have not ended. */
  get running() {
    return [...this.runs.values()].filter(({ status }) => status === "running");
  }

  /** The stored messages whose turns wait for a running turn. */
  get queued() {
    const running = this.running;
    if (running.length === 0) return [];
    const answered = new Set(Array.from(this.runs.values(), ({ event_id }) => event_id));
    const current = new Set(running.map(({ event_id }) => event_id));
    let first = this.events.findIndex(({ id }) => current.has(id));
    // Runs of older pages are not known, but turns start in the order of their messages.
    if (first < 0) first = this.events.findLastIndex(({ id }) => answered.has(id));
    // The answer to a form that a turn asks has no turn of its own.
    const asked = new Set(this.events.filter(({ data }) => data?.asked).map(({ id }) => id));
    return this.events
      .slice(first + 1)
      .filter(
        ({ id, actor, type, data, deleted }) =>
          actor === "user" &&
          (type === "message" || (type === "form.response" && !asked.has(data?.form_event_id))) &&
          !deleted &&
          !answered.has(id),
      );
  }

  /**
   * Sends a message or the answer to a form. The answer to a form with passwords is not kept over a reload.
   *
   * @param {ContentPart[] | string} content
   * @param {{type?: string, data?: any, metadata?: Record<string, any>}} [options] `metadata` belongs to the thread, if
   *   this message creates one
   */
  send(content, { type = "message", data, metadata } = {}) {
    const parts = typeof content === "string" ? [/** @type {ContentPart} */ ({ type: "text", text: content })] : content;
    // A copy, because a message that changes is another message. It fails here if it cannot be sent as JSON.
    const copy = JSON.parse(JSON.stringify({ event: { type, content: parts, data }, metadata }));
    return this.#host.outbox.add(
      { ...copy, conversation: this.id, thread_id: this.threadId },
      type === "form.response" && this.#mayHavePassword(data),
    );
  }

  /** Sends a failed message again, with the same id. @param {string} clientEventId */
  retry(clientEventId) {
    this.#host.outbox.retry(clientEventId);
  }

  /** Removes a message from the outbox. @param {string} clientEventId */
  discard(clientEventId) {
    this.#host.outbox.discard(clientEventId);
  }

  /**
   * Loads the page of events before the first loaded one. Calls during a load return the same promise.
   *
   * @returns {Promise<void>}
   */
  loadOlder() {
    this.#older ??= this.#loadOlder().finally(() => {
      this.#older = null;
    });
    return this.#older;
  }

  async #loadOlder() {
    const first = this.events[0];
    if (!first || !this.hasMore) return;
    const request = { thread_id: this.threadId, before_event_id: first.id, limit: PAGE };
    const page = await patiently(() => this.#host.connection.request("event.list", request));
    // The list was replaced in the meantime, so the page is not the one before it.
    if (this.events[0]?.id !== first.id) return;
    const older = list(page?.events).filter(isEvent);
    this.events = [...older, ...this.events];
    this.hasMore = page?.has_more === true && older.length > 0;
    this.#changed();
  }

  /** Ends the subscription. Messages in the outbox are still sent. */
  close() {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#subscription += 1;
    this.#host.onClose(this);
  }

  /** Subscribes, and continues after the last event that is known. The client calls it after each `connect`. */
  async subscribe() {
    if (this.threadId === null || this.#isClosed || this.state === "deleted") return;
    this.#isLive = false;
    this.#subscription += 1;
    const subscription = this.#subscription;
    const isCurrent = () => subscription === this.#subscription;
    const last = this.events.at(-1)?.id;
    const request = { thread_id: this.threadId, after_event_id: last };
    try {
      const snapshot = await patiently(async () => {
        // Without a connection, the next one subscribes.
        if (!isCurrent() || !this.#host.connection.connected) return null;
        const answer = await this.#host.connection.request("thread.subscribe", request);
        // The frames after the snapshot arrive before a repeated request would return.
        if (isCurrent()) this.#show(answer, last !== undefined && answer?.recovered === true);
        return answer;
      });
      if (snapshot && isCurrent()) this.#changed();
    } catch (error) {
      if (!isCurrent() || !(error instanceof ServerError)) return;
      this.state = error.code === "NOT_FOUND" ? "missing" : "failed";
      this.error = error;
      this.#changed();
    }
  }

  /**
   * @param {any} snapshot
   * @param {boolean} continues whether the snapshot continues the list instead of replacing it
   */
  #show(snapshot, continues) {
    this.#isLive = true;
    this.state = "open";
    this.error = undefined;
    this.thread = snapshot?.thread ?? this.thread;
    if (!continues) {
      this.events = [];
      this.runs = new Map();
      this.feedback = new Map();
      this.hasMore = snapshot?.has_more === true;
    }
    this.events = [...this.events];
    for (const event of list(snapshot?.events)) this.#put(event, true);
    this.#putRuns(list(snapshot?.runs));
    this.feedback = new Map(this.feedback);
    for (const rating of list(snapshot?.feedback)) {
      if (typeof rating?.target_id === "string") this.feedback.set(rating.target_id, rating.feedback);
    }
  }

  /** Continues as the thread that its first message has created. @param {string} threadId @param {Thread | null} thread */
  created(threadId, thread) {
    this.threadId = threadId;
    this.thread = thread;
    this.#isLive = true;
    this.#changed();
  }

  /** Shows a frame of the thread. The client calls it. @param {import("./types.js").Frame} frame */
  receive({ type, payload }) {
    if (type === "thread.deleted") {
      this.state = "deleted";
      this.#changed();
      return;
    }
    if (type === "thread.upsert") {
      this.thread = payload.thread;
    } else if (!this.#isLive) {
      return;
    } else if (type === "event.delta") {
      if (!this.#extend(payload)) return;
    } else {
      this.#putRuns([payload.run, ...list(payload.runs)]);
      this.events = [...this.events];
      if (!list(payload.events).every((event) => this.#put(event))) this.subscribe();
    }
    this.#changed();
  }

  /** Shows feedback that the server has accepted. @param {any} ack */
  rated({ target_type, target_id, feedback }) {
    if (target_type !== "event" || !this.events.some(({ id }) => id === target_id)) return;
    this.feedback = new Map(this.feedback).set(target_id, feedback);
    this.#changed();
  }

  /** Dispatches `change`, after a change of the outbox. */
  outboxChanged() {
    this.#changed();
  }

  /**
   * Adds an event to the list, which the caller has copied, or replaces the one with its id.
   *
   * @param {unknown} event
   * @param {boolean} isNext whether no event before it is missing
   * @returns {boolean} false if events before it are missing
   */
  #put(event, isNext = false) {
    if (!isEvent(event)) return true;
    const last = this.events.at(-1);
    if (last && event.seq > last.seq + 1 && !isNext) return false;
    if (!last || event.seq > last.seq) {
      if (!last && event.seq > 1) this.hasMore = true;
      this.events.push(event);
      return true;
    }
    const index = this.events.findLastIndex(({ id }) => id === event.id);
    // An event that is not in the list is before its first one.
    if (index >= 0) this.events[index] = event;
    return true;
  }

  /**
   * Appends a piece of text to its event.
   *
   * @param {{event_id?: string, delta_seq?: number, text?: string}} delta
   * @returns {boolean} false if the delta does not continue the text that is known
   */
  #extend({ event_id, delta_seq, text }) {
    const index = this.events.findLastIndex(({ id }) => id === event_id);
    const event = this.events[index];
    if (!event?.streaming || event.delta_seq !== delta_seq || delta_seq === undefined) return false;
    const content = [...list(event.content)];
    const at = content.findLastIndex((part) => part?.type === "text");
    const part = { type: "text", text: (content[at]?.text ?? "") + (text ?? "") };
    content.splice(at < 0 ? content.length : at, 1, at < 0 ? part : { ...content[at], ...part });
    this.events = [...this.events];
    this.events[index] = { ...event, content, delta_seq: delta_seq + 1 };
    return true;
  }

  /** @param {any[]} runs */
  #putRuns(runs) {
    const known = runs.filter((run) => typeof run?.id === "string");
    if (known.length === 0) return;
    this.runs = new Map(this.runs);
    for (const run of known) this.runs.set(run.id, run);
  }

  /** Whether the answer to a form may contain a password. That of an unknown form may. @param {any} data */
  #mayHavePassword(data) {
    const form = this.events.find(({ id }) => id === data?.form_event_id)?.data;
    if (!Array.isArray(form?.elements)) return true;
    return form.elements.some((/** @type {any} */ element) => element?.input_type === "password");
  }

  #changed() {
    if (!this.#isClosed) this.dispatchEvent(new Event("change"));
  }
}

/** @param {unknown} value @returns {any[]} */
function list(value) {
  return Array.isArray(value) ? value : [];
}

/** @param {any} value @returns {value is ThreadEvent} */
function isEvent(value) {
  return typeof value?.id === "string" && typeof value.seq === "number";
}
