/**
 * A complete client of the dooers protocol for browsers, without dependencies. Copy this file and the folder `client`.
 *
 *   import { Client } from "./client.js";
 *
 *   const user = { user_id: "ada", user_name: "Ada" };
 *   const client = new Client({
 *     url: "ws://127.0.0.1:8000/ws",
 *     identity: { worker_id: "w1", organization_id: "o1", workspace_id: "s1", user },
 *     storage: localStorage,
 *   });
 *   client.start();
 *   const conversation = client.open(null);
 *   conversation.addEventListener("change", () => console.log(conversation.events));
 *   conversation.send("Hello");
 *
 * The client reconnects by itself and continues every subscription without gaps or duplicates. Messages that the server
 * did not store yet are sent again with the same `client_event_id`. With a `storage`, they survive a reload of the page.
 */

import { Connection } from "./client/connection.js";
import { Conversation } from "./client/conversation.js";
import { AnalyticsFeed, SettingsView } from "./client/live.js";
import { Outbox } from "./client/outbox.js";
import { MessageStorage } from "./client/storage.js";

export { ConnectionLost, ServerError } from "./client/errors.js";
export { numberText, writeJson } from "./client/numbers.js";
export { AnalyticsFeed, Conversation, SettingsView };

/** @typedef {import("./client/types.js").AnalyticsEvent} AnalyticsEvent */
/** @typedef {import("./client/types.js").ClientState} ClientState */
/** @typedef {import("./client/types.js").ContentPart} ContentPart */
/** @typedef {import("./client/types.js").Frame} Frame */
/** @typedef {import("./client/types.js").FrameRecord} FrameRecord */
/** @typedef {import("./client/types.js").Identity} Identity */
/** @typedef {import("./client/types.js").OutgoingMessage} OutgoingMessage */
/** @typedef {import("./client/types.js").Run} Run */
/** @typedef {import("./client/types.js").SettingsField} SettingsField */
/** @typedef {import("./client/types.js").SettingsFieldGroup} SettingsFieldGroup */
/** @typedef {import("./client/types.js").Thread} Thread */
/** @typedef {import("./client/types.js").ThreadEvent} ThreadEvent */
/** @typedef {import("./client/types.js").User} User */

/**
 * @typedef {object} Options
 * @property {string} url the address of the agent's WebSocket
 * @property {Identity} identity
 * @property {string} [token] a token for the server's authenticator
 * @property {Storage} [storage] keeps messages that were not stored by the server over a reload; none by default
 * @property {{name: string, version: string}} [name] the name of the program, for the server
 */

/** Threads whose `thread.upsert` arrived before their conversation knew their id. */
const MOST_RECENT = 20;

/**
 * A client of one agent, for one identity. It dispatches these events of type `CustomEvent`:
 *
 * | event | detail |
 * |---|---|
 * | `state` | the new state, a `ClientState` |
 * | `frame` | every message in both directions, a `FrameRecord`. `connect` contains the token |
 * | `thread` | a thread that is new or has changed |
 * | `thread-deleted` | `{thread_id}` |
 * | `expiring` | `{expires_at}`: call `renew` with a new token before that time |
 * | `resync` | after each `connect`: read lists of threads again |
 */
export class Client extends EventTarget {
  #identity;
  #token;
  #name;
  #connection;
  #outbox;
  /** @type {Set<Conversation>} */
  #conversations = new Set();
  /** The view that owns the connection's only subscription of settings. @type {SettingsView | null} */
  #settings = null;
  /** @type {Set<AnalyticsFeed>} */
  #feeds = new Set();
  /** @type {Map<string, Thread>} */
  #recent = new Map();

  /** @param {Options} options */
  constructor({ url, identity, token, storage, name }) {
    super();
    this.#identity = identity;
    this.#token = token;
    this.#name = name;
    this.#connection = new Connection(url, {
      hello: () => this.#hello(),
      onConnected: () => this.#onConnected(),
      onState: (state) => this.#onState(state),
      onFrame: (frame) => this.#onFrame(frame),
      onTraffic: (record) => this.#dispatch("frame", record),
    });
    const stored = new MessageStorage(storage, url, identity, token);
    this.#outbox = new Outbox(this.#connection, stored, ({ conversation, thread_id }) => {
      for (const shown of this.#conversations) {
        if (shown.id === conversation || (thread_id !== null && shown.threadId === thread_id)) shown.outboxChanged();
      }
    });
  }

  /** The state of the connection. In the phase `refused`, the client does not reconnect by itself. */
  get state() {
    return this.#connection.state;
  }

  /** Connects, and reconnects whenever the connection is lost. */
  start() {
    this.#connection.start();
  }

  /** Closes the connection. */
  stop() {
    this.#connection.stop();
  }

  /** Connects now instead of after the current delay, also after a refusal. */
  reconnect() {
    this.#connection.reconnect();
  }

  /**
   * Continues with a new token of the same user. For another user, create another client.
   *
   * @param {string} token
   * @returns {Promise<void>} rejected if the server refuses the token. The earlier identity then lasts until it expires
   */
  renew(token) {
    this.#token = token;
    return this.#connection.renew();
  }

  /** Whether the connected server has a capability. @param {string} capability */
  supports(capability) {
    return this.state.server?.capabilities?.includes(capability) ?? false;
  }

  /**
   * Sends a request, as soon as the client is connected.
   *
   * @param {string} type
   * @param {object} [payload]
   * @returns {Promise<any>} the payload of the answer. Rejected with a `ServerError`, or with `ConnectionLost` if the
   *   connection ended before the answer
   */
  request(type, payload = {}) {
    return this.#connection.request(type, payload);
  }

  /** Sends a text as it is. Throws `ConnectionLost` without a connection. @param {string} text */
  sendRaw(text) {
    this.#connection.sendRaw(text);
  }

  /**
   * Reads a page of threads, the newest first.
   *
   * @param {{cursor?: string | null, limit?: number, query?: string}} [options]
   * @returns {Promise<{threads: Thread[], cursor: string | null, total_count: number}>}
   */
  async listThreads({ cursor, limit, query } = {}) {
    const page = await this.request("thread.list", { cursor: cursor ?? undefined, limit, query });
    return { threads: page?.threads ?? [], cursor: page?.cursor ?? null, total_count: page?.total_count ?? 0 };
  }

  /**
   * @param {string} threadId
   * @param {string} title
   * @returns {Promise<void>}
   */
  async renameThread(threadId, title) {
    await this.request("thread.update", { thread_id: threadId, title });
  }

  /**
   * @param {string} threadId
   * @returns {Promise<void>}
   */
  async deleteThread(threadId) {
    await this.request("thread.delete", { thread_id: threadId });
  }

  /**
   * Cancels a run, or withdraws a message whose turn is queued.
   *
   * @param {{run_id: string} | {event_id: string}} target
   * @returns {Promise<void>}
   */
  async cancel(target) {
    await this.request("run.cancel", target);
  }

  /**
   * Likes or dislikes an object.
   *
   * @param {"event" | "run" | "thread"} targetType
   * @param {string} targetId
   * @param {"like" | "dislike"} feedback
   * @param {{reason?: string, classification?: string}} [details]
   * @returns {Promise<void>}
   */
  async feedback(targetType, targetId, feedback, { reason, classification } = {}) {
    const payload = { target_type: targetType, target_id: targetId, feedback, reason, classification };
    await this.request("feedback", payload);
  }

  /**
   * Opens a thread, or a new conversation. A new conversation without a thread shows the messages of one that was not
   * sent before the page was loaded again, or that was refused.
   *
   * @param {string | null} threadId null creates the thread with the first message
   */
  open(threadId) {
    const isShown = (/** @type {string} */ id) => [...this.#conversations].some((shown) => shown.id === id);
    const host = {
      connection: this.#connection,
      outbox: this.#outbox,
      onClose: (/** @type {Conversation} */ closed) => this.#onClosed(closed),
    };
    const conversation = new Conversation(host, threadId, threadId === null ? this.#outbox.abandoned(isShown) : undefined);
    this.#conversations.add(conversation);
    if (this.#connection.connected) conversation.subscribe();
    return conversation;
  }

  /**
   * Opens the settings of the worker. A connection has one subscription, so an earlier view is closed.
   *
   * @param {"user" | "creator"} [audience]
   */
  settings(audience = "user") {
    this.#settings?.close();
    const onClose = () => {
      this.#settings = null;
      this.#tell("settings.unsubscribe");
    };
    const view = new SettingsView({ connection: this.#connection, workerId: this.#identity.worker_id, onClose }, audience);
    this.#settings = view;
    if (this.#connection.connected) view.subscribe();
    return view;
  }

  /** Opens the live analytics of the worker. */
  analytics() {
    const onClose = () => {
      this.#feeds.delete(feed);
      if (this.#feeds.size === 0) this.#tell("analytics.unsubscribe");
    };
    const feed = new AnalyticsFeed({ connection: this.#connection, workerId: this.#identity.worker_id, onClose });
    this.#feeds.add(feed);
    if (this.#connection.connected) feed.subscribe();
    return feed;
  }

  #hello() {
    // Clients that name the worker `agent_id` receive missed events in order, instead of a new list.
    const { worker_id: agent_id, ...identity } = this.#identity;
    return { agent_id, ...identity, auth_token: this.#token, client: this.#name, capabilities: ["event.delta"] };
  }

  #onConnected() {
    for (const conversation of this.#conversations) conversation.subscribe();
    this.#settings?.subscribe();
    for (const feed of this.#feeds) feed.subscribe();
    // A renewed `connect` may have ended the subscription by which a stored event arrives.
    this.#outbox.disconnected();
    this.#outbox.pump();
    this.#dispatch("resync", undefined);
  }

  /** @param {ClientState} state */
  #onState(state) {
    if (state.phase !== "connected") this.#outbox.disconnected();
    this.#dispatch("state", state);
  }

  /** @param {Frame} frame */
  #onFrame(frame) {
    const { type, payload } = frame;
    if (payload === null || typeof payload !== "object") return;
    switch (type) {
      case "event.append":
        this.#settle(payload.thread_id, payload.events);
        this.#forward(payload.thread_id, frame);
        break;
      case "event.delta":
        this.#forward(payload.thread_id, frame);
        break;
      case "run.upsert":
        this.#forward(payload.run?.thread_id, frame);
        break;
      case "thread.snapshot":
        this.#settle(payload.thread?.id, payload.events);
        // For other conversations of the thread: its subscription continues after this snapshot.
        this.#forward(payload.thread?.id, frame);
        break;
      case "thread.upsert":
        if (typeof payload.thread?.id !== "string") break;
        this.#remember(payload.thread);
        this.#forward(payload.thread.id, frame);
        this.#dispatch("thread", payload.thread);
        break;
      case "thread.deleted":
        this.#outbox.threadDeleted(payload.thread_id);
        this.#forward(payload.thread_id, frame);
        this.#dispatch("thread-deleted", payload);
        break;
      case "feedback.ack":
        for (const conversation of this.#conversations) conversation.rated(payload);
        break;
      case "settings.snapshot":
      case "settings.patch":
        this.#settings?.receive(frame);
        break;
      case "analytics.event":
        for (const feed of this.#feeds) feed.receive(frame);
        break;
      case "auth.expiring":
        this.#dispatch("expiring", payload);
        break;
    }
  }

  /**
   * @param {string | undefined} threadId
   * @param {Frame} frame
   */
  #forward(threadId, frame) {
    for (const conversation of this.#conversations) {
      if (conversation.threadId === threadId) conversation.receive(frame);
    }
  }

  /**
   * Removes the messages of stored events from the outbox, and gives a new conversation its thread.
   *
   * @param {unknown} threadId
   * @param {unknown} events
   */
  #settle(threadId, events) {
    if (typeof threadId !== "string" || !Array.isArray(events)) return;
    for (const event of events) {
      const settled = typeof event?.client_event_id === "string" ? this.#outbox.settle(threadId, event) : null;
      const created = [...this.#conversations].find(({ id, threadId }) => id === settled?.conversation && threadId === null);
      created?.created(threadId, this.#recent.get(threadId) ?? null);
      // An earlier attempt created the thread, which may have more events than this one.
      if (settled?.wasSent) created?.subscribe();
    }
    this.#outbox.pump();
  }

  /** @param {Thread} thread */
  #remember(thread) {
    this.#recent.delete(thread.id);
    this.#recent.set(thread.id, thread);
    if (this.#recent.size > MOST_RECENT) this.#recent.delete([...this.#recent.keys()][0]);
  }

  /** @param {Conversation} closed */
  #onClosed(closed) {
    this.#conversations.delete(closed);
    const { threadId, state } = closed;
    // The subscription of a thread ends with the thread.
    if (threadId === null || state === "deleted" || state === "missing") return;
    if ([...this.#conversations].some((other) => other.threadId === threadId)) return;
    this.#tell("thread.unsubscribe", { thread_id: threadId });
  }

  /**
   * Ends a subscription. Subscriptions end with their connection, so this does not wait for one.
   *
   * @param {string} type
   * @param {object} payload
   */
  #tell(type, payload = { agent_id: this.#identity.worker_id }) {
    if (this.#connection.connected) this.#connection.request(type, payload).catch(() => {});
  }

  /**
   * @param {string} type
   * @param {any} detail
   */
  #dispatch(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
