/** Messages on their way to the server. Each is sent until its stored event arrives, always with the same id. */

import { repeatAfter, ServerError } from "./errors.js";
import { newId } from "./id.js";
import { MessageStorage } from "./storage.js";

/** @typedef {import("./types.js").ContentPart} ContentPart */
/** @typedef {import("./types.js").OutgoingMessage} OutgoingMessage */
/** @typedef {import("./types.js").ThreadEvent} ThreadEvent */

/**
 * @typedef {object} Entry
 * @property {OutgoingMessage} message
 * @property {"waiting" | "sent" | "acknowledged"} progress on the present connection
 * @property {number} repetitions
 * @property {boolean} wasSent whether an earlier attempt may have stored the message
 * @property {boolean} wasLoaded whether the message is from an earlier page
 * @property {boolean} isSecret whether the message must not be stored
 * @property {ReturnType<typeof setTimeout>} [timer]
 */

const MOST_WAITING = 100;

export class Outbox {
  /** @type {Entry[]} */
  #entries;
  #storage;
  #connection;
  #onChange;

  /**
   * @param {import("./connection.js").Connection} connection
   * @param {MessageStorage} storage
   * @param {(message: OutgoingMessage) => void} onChange is called after each change of a message
   */
  constructor(connection, storage, onChange) {
    this.#connection = connection;
    this.#storage = storage;
    this.#onChange = onChange;
    this.#entries = storage.load().map((message) => ({
      message,
      progress: "waiting",
      repetitions: 0,
      wasSent: true,
      wasLoaded: true,
      isSecret: false,
    }));
  }

  /**
   * The messages of a conversation, the oldest first.
   *
   * @param {string} conversation
   * @param {string | null} threadId
   */
  of(conversation, threadId) {
    return this.#entries
      .map(({ message }) => message)
      .filter((message) => message.conversation === conversation || (threadId !== null && message.thread_id === threadId));
  }

  /**
   * The id of a conversation without a thread whose messages nobody shows: one from before the page was loaded, or one
   * whose messages were refused.
   *
   * @param {(conversation: string) => boolean} isShown
   */
  abandoned(isShown) {
    const found = this.#entries.find(
      ({ message, wasLoaded }) =>
        message.thread_id === null && (wasLoaded || message.status === "failed") && !isShown(message.conversation),
    );
    return found?.message.conversation;
  }

  /**
   * Adds a message and sends it.
   *
   * @param {Pick<OutgoingMessage, "event" | "metadata" | "conversation" | "thread_id">} written
   * @param {boolean} isSecret keeps the message out of the storage
   */
  add({ event, metadata, conversation, thread_id }, isSecret) {
    /** @type {OutgoingMessage} */
    const message = {
      client_event_id: newId(),
      event,
      metadata,
      created_at: this.#now(),
      status: "sending",
      conversation,
      thread_id,
    };
    const waiting = this.#entries.filter((entry) => entry.message.status === "sending").length;
    /** @type {Entry} */
    const entry = { message, progress: "waiting", repetitions: 0, wasSent: false, wasLoaded: false, isSecret };
    this.#entries.push(entry);
    if (waiting >= MOST_WAITING) this.#fail(entry, new Error(`${MOST_WAITING} messages wait to be sent already`));
    else this.#changed(entry);
    this.pump();
    return message;
  }

  /** Sends a failed message again. @param {string} clientEventId */
  retry(clientEventId) {
    const entry = this.#find(clientEventId);
    if (entry?.message.status !== "failed") return;
    entry.message.status = "sending";
    delete entry.message.error;
    entry.repetitions = 0;
    entry.progress = "waiting";
    this.#changed(entry);
    this.pump();
  }

  /** Removes a message. One that was sent may be stored nevertheless. @param {string} clientEventId */
  discard(clientEventId) {
    const entry = this.#find(clientEventId);
    if (!entry) return;
    this.#remove(entry);
    this.pump();
  }

  /**
   * Removes the message of a stored event.
   *
   * @param {string} threadId
   * @param {ThreadEvent} event
   * @returns {{conversation: string, wasSent: boolean} | null} null if the event is not from this outbox
   */
  settle(threadId, event) {
    const entry = event.client_event_id ? this.#find(event.client_event_id) : undefined;
    if (!entry) return null;
    const { conversation } = entry.message;
    for (const other of this.#entries) {
      if (other !== entry && other.message.conversation === conversation && other.message.thread_id === null) {
        other.message.thread_id = threadId;
        this.#changed(other);
      }
    }
    this.#remove(entry);
    return { conversation, wasSent: entry.wasSent };
  }

  /** Fails the messages of a deleted thread. @param {string} threadId */
  threadDeleted(threadId) {
    for (const entry of this.#entries) {
      if (entry.message.thread_id === threadId && entry.message.status === "sending") {
        this.#fail(entry, new ServerError({ code: "NOT_FOUND", message: "the conversation was deleted" }));
      }
    }
  }

  /** The connection was lost: what has no stored event yet is sent again. */
  disconnected() {
    for (const entry of this.#entries) {
      clearTimeout(entry.timer);
      entry.wasSent ||= entry.progress !== "waiting";
      entry.progress = "waiting";
    }
  }

  /** Sends what can be sent: one message of each conversation at a time, so that their order is kept. */
  pump() {
    if (!this.#connection.connected) return;
    // Another tab has sent or discarded what is not stored any more.
    for (const entry of this.#entries.filter(({ wasLoaded, progress }) => wasLoaded && progress === "waiting")) {
      if (!this.#storage.has(entry.message.client_event_id)) this.#remove(entry);
    }
    /** @type {Set<string>} */
    const busy = new Set();
    for (const entry of this.#entries) {
      const { message, progress } = entry;
      if (message.status !== "sending") continue;
      const lane = message.thread_id ?? message.conversation;
      // The thread of a first message is known when its event arrives.
      if (progress === "acknowledged" && message.thread_id !== null) continue;
      if (!busy.has(lane) && progress === "waiting") this.#send(entry);
      busy.add(lane);
    }
  }

  /** @param {Entry} entry */
  async #send(entry) {
    const { client_event_id, event, metadata, thread_id } = entry.message;
    entry.progress = "sent";
    try {
      await this.#connection.request("event.create", {
        thread_id: thread_id ?? undefined,
        client_event_id,
        event: { ...event, actor: "user" },
        metadata,
      });
      if (entry.progress === "sent") entry.progress = "acknowledged";
    } catch (error) {
      // Messages without an answer are sent again by the next connection, and by the next identity.
      if (!(error instanceof ServerError) || error.code === "UNAUTHORIZED") return;
      if (entry.message.status !== "sending" || !this.#entries.includes(entry)) return;
      const wait = repeatAfter(error, entry.repetitions);
      if (wait === null) {
        this.#fail(entry, error);
      } else {
        entry.repetitions += 1;
        entry.timer = setTimeout(() => {
          if (entry.progress === "sent") entry.progress = "waiting";
          this.pump();
        }, wait);
      }
    }
    this.pump();
  }

  /** The present time, or a later one if that is not after all earlier messages: it orders the stored messages. */
  #now() {
    const last = Math.max(0, ...this.#entries.map(({ message }) => Date.parse(message.created_at)));
    return new Date(Math.max(Date.now(), last + 1)).toISOString();
  }

  /** @param {string} clientEventId */
  #find(clientEventId) {
    return this.#entries.find(({ message }) => message.client_event_id === clientEventId);
  }

  /**
   * @param {Entry} entry
   * @param {Error} error
   */
  #fail(entry, error) {
    clearTimeout(entry.timer);
    entry.message.status = "failed";
    entry.message.error = error;
    this.#changed(entry);
  }

  /** @param {Entry} entry */
  #remove(entry) {
    clearTimeout(entry.timer);
    this.#entries.splice(this.#entries.indexOf(entry), 1);
    this.#storage.remove(entry.message.client_event_id);
    this.#onChange(entry.message);
  }

  /** @param {Entry} entry */
  #changed(entry) {
    if (!entry.isSecret) this.#storage.save(entry.message);
    this.#onChange(entry.message);
  }
}
