/**
 * The log of the frames of this tab. It records from the start of the page, also while the inspector is closed, across
 * reconnects and changes of the agent.
 */

import { effect } from "../ui.js";
import { agent, client } from "./session.js";

/**
 * An entry of the log: a frame, or a note that separates the frames of two connections.
 *
 * @typedef {object} LogEntry
 * @property {number} index the position in the log; entries are numbered without gaps
 * @property {number} at the time, in milliseconds
 * @property {"in" | "out" | null} direction null for a note
 * @property {string} type the type of the frame; empty for a note, and for a text that is not a frame
 * @property {string} text the frame as it was sent or received, or the note
 * @property {boolean} isJson whether the text is a JSON object
 * @property {number} size the number of bytes
 * @property {string | null} threadId
 * @property {string | null} eventId only of deltas
 * @property {string | null} frameId
 * @property {string | null} answers the id of the frame that this frame answers
 * @property {string | null} hint a word about the contents
 * @property {boolean} isRefusal
 */

/** @typedef {import("../client.js").Client} Client */

/** The maximum number of entries. */
export const MAX_ENTRIES = 5000;

/** The maximum size of all entries, in bytes. */
export const MAX_BYTES = 20 * 1024 * 1024;

/** The part of a full log that is kept when it is emptied. */
const KEPT = 0.9;

const encoder = new TextEncoder();

/** A bounded log. Dispatches "change" after every change. */
export class FrameLog extends EventTarget {
  /** @type {LogEntry[]} */
  entries = [];
  bytes = 0;
  /** The index of the next entry. */
  next = 0;
  /** The number of entries of each type. @type {Map<string, number>} */
  types = new Map();
  /** The number of entries of each thread. @type {Map<string, number>} */
  threads = new Map();
  /** The notes since the last frame. @type {Set<string>} */
  #notes = new Set();

  /**
   * Adds a frame.
   *
   * @param {{direction: "in" | "out", at: number, text: string, frame: unknown}} detail
   */
  addFrame({ direction, at, text, frame }) {
    const size = encoder.encode(text).length;
    this.#notes.clear();
    this.#add({ ...describe(frame), at, direction, text, size });
  }

  /**
   * Adds a note. The repeated attempts to connect to a server that is down are noted once.
   *
   * @param {string} text
   */
  addNote(text) {
    if (this.#notes.has(text)) return;
    this.#notes.add(text);
    this.#add({ ...describe(null), at: Date.now(), direction: null, text, size: 0 });
  }

  /** Removes all entries. */
  clear() {
    this.#notes.clear();
    this.entries = [];
    this.bytes = 0;
    this.types.clear();
    this.threads.clear();
    this.dispatchEvent(new Event("change"));
  }

  /**
   * Returns the entries from one index to another, including both, as far as the log still has them.
   *
   * @param {number} from
   * @param {number} to
   */
  between(from, to) {
    const first = this.entries[0]?.index ?? 0;
    return this.entries.slice(Math.max(0, from - first), Math.max(0, to - first + 1));
  }

  /** @param {Omit<LogEntry, "index">} entry */
  #add(entry) {
    this.entries.push({ ...entry, index: this.next++ });
    this.bytes += entry.size;
    count(this.types, entry.type, 1);
    count(this.threads, entry.threadId, 1);
    if (this.entries.length > MAX_ENTRIES || this.bytes > MAX_BYTES) this.#evict();
    this.dispatchEvent(new Event("change"));
  }

  /** Removes the oldest entries. Many at once, because the others move in memory. The newest entry stays. */
  #evict() {
    let evicted = 0;
    while (
      this.entries.length - evicted > 1 &&
      (this.entries.length - evicted > KEPT * MAX_ENTRIES || this.bytes > KEPT * MAX_BYTES)
    ) {
      const old = this.entries[evicted++];
      this.bytes -= old.size;
      count(this.types, old.type, -1);
      count(this.threads, old.threadId, -1);
    }
    this.entries.splice(0, evicted);
  }
}

/**
 * Changes the number of a name, and removes names without entries.
 *
 * @param {Map<string, number>} counts
 * @param {string | null} name
 * @param {number} change
 */
function count(counts, name, change) {
  if (!name) return;
  const value = (counts.get(name) ?? 0) + change;
  if (value > 0) counts.set(name, value);
  else counts.delete(name);
}

/**
 * Reads the members that the inspector shows and filters. Frames of any shape are accepted.
 *
 * @param {unknown} value
 */
function describe(value) {
  const isJson = typeof value === "object" && value !== null;
  const frame = object(value);
  const payload = object(frame.payload);
  const error = object(payload.error);
  const events = Array.isArray(payload.events) ? payload.events : [];
  const threadId =
    text(payload.thread_id) ?? text(object(payload.thread).id) ?? text(object(payload.run).thread_id);
  const type = text(frame.type) ?? "";
  const isResult = type === "settings.public_schema.result";
  return {
    type,
    isJson,
    threadId,
    eventId: type === "event.delta" ? text(payload.event_id) : null,
    frameId: text(frame.id),
    answers: text(payload.ack_id) ?? (isResult ? text(frame.id) : null),
    isRefusal: payload.ok === false,
    hint:
      text(error.code) ??
      text(object(payload.run).status) ??
      text(payload.field_id) ??
      (typeof payload.event === "string" ? payload.event : text(object(payload.event).type)) ??
      (events.length === 1 ? text(object(events[0]).type) : events.length > 1 ? `${events.length} events` : null),
  };
}

/**
 * @param {unknown} value
 * @returns {Record<string, unknown>}
 */
function object(value) {
  return typeof value === "object" && value !== null ? /** @type {Record<string, unknown>} */ (value) : {};
}

/** @param {unknown} value */
function text(value) {
  return typeof value === "string" ? value : null;
}

/** The log of this tab. */
export const frames = new FrameLog();

/**
 * Records the frames of a client, and notes its connections.
 *
 * @param {FrameLog} log
 * @param {Client} source
 * @returns {() => void} stops recording
 */
export function record(log, source) {
  let phase = "";
  const onFrame = (/** @type {Event} */ event) => {
    log.addFrame(/** @type {CustomEvent} */ (event).detail);
  };
  const onState = () => {
    const state = source.state;
    if (state.phase === phase) return;
    phase = state.phase;
    if (phase === "connecting") log.addNote(`Connecting to ${agent.peek() ?? "an agent"}`);
    if (phase === "waiting") log.addNote("Connection lost");
    if (phase === "refused") log.addNote("Connection refused");
    if (phase === "stopped") log.addNote("Connection closed");
  };
  source.addEventListener("frame", onFrame);
  source.addEventListener("state", onState);
  return () => {
    source.removeEventListener("frame", onFrame);
    source.removeEventListener("state", onState);
  };
}

effect(() => {
  const source = client.value;
  return source ? record(frames, source) : undefined;
});
