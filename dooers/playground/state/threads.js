/** The list of threads: pages from the server, kept up to date by live frames. */

import { effect, signal } from "../ui.js";
import { forgetName, knownName } from "./names.js";
import { client } from "./session.js";

/** @typedef {import("../client.js").Client} Client */
/** @typedef {import("../client.js").Thread} Thread */

const pageSize = 100;
/** How many threads are read again after a reconnect, at most. */
const maxReread = 400;
/** The time between two changes of the order, in ms. A list of many running conversations would not stand still otherwise. */
const orderPause = 1000;

/**
 * A key that orders points in time, down to the nanosecond. The protocol leaves out zeros at the end of a fraction.
 *
 * @param {string | undefined} time
 */
export function timeKey(time) {
  const [seconds, fraction = ""] = String(time ?? "").replace(/Z$/, "").split(".");
  return `${seconds}.${fraction.padEnd(9, "0")}`;
}

/** @param {Thread} thread */
function orderKey(thread) {
  return timeKey(thread.last_event_at ?? thread.created_at);
}

/** The threads of a client. Dispatches "change". */
export class ThreadList extends EventTarget {
  #couldQuery = false;
  #orderedAt = -Infinity;
  /** Runs while threads wait for their new places. */
  #orderTimer = 0;

  /** @param {Client} source */
  constructor(source) {
    super();
    this.source = source;
    /** The loaded threads, the newest first. @type {Thread[]} */
    this.threads = [];
    /** The threads before the search. @type {Thread[]} */
    this.listed = [];
    /** The text that the titles contain, searched by the server. */
    this.query = "";
    /** @type {"loading" | "ready" | "failed"} */
    this.state = "loading";
    /** @type {unknown} */
    this.error = undefined;
    /** @type {string | null} */
    this.cursor = null;
    /** Deleted threads, which a page that was made before may still contain. @type {Set<string>} */
    this.deleted = new Set();
    this.loadingMore = false;
    /** Threads of live frames, while the list is read. @type {Thread[] | null} */
    this.arrived = null;
    /** Counts the readings of the list. The answers to earlier ones are dropped. */
    this.reading = 0;
    this.listeners = new AbortController();
    const { signal: until } = this.listeners;
    source.addEventListener("resync", () => void this.read(), { signal: until });
    source.addEventListener(
      "thread",
      (event) => this.upsert(/** @type {CustomEvent<Thread>} */ (event).detail),
      { signal: until },
    );
    source.addEventListener(
      "thread-deleted",
      (event) => this.remove(/** @type {CustomEvent<{thread_id: string}>} */ (event).detail.thread_id),
      { signal: until },
    );
    if (source.state.phase === "connected") void this.read();
  }

  close() {
    this.reading += 1;
    clearTimeout(this.#orderTimer);
    this.listeners.abort();
  }

  /** Whether the server has more threads. */
  get hasMore() {
    return this.cursor !== null;
  }

  /** Whether the server searches the titles. Between two connections, this is what the last one supported. */
  get canQuery() {
    if (this.source.state.phase === "connected") this.#couldQuery = this.source.supports("thread.query");
    return this.#couldQuery;
  }

  /**
   * Shows the threads whose titles contain a text. The server does not know the first words that name a thread without a
   * title: the loaded ones are searched here.
   *
   * @param {string} query
   */
  search(query) {
    if (query === this.query) return;
    if (this.query === "") this.listed = this.threads;
    this.query = query;
    this.threads = [];
    this.cursor = null;
    void this.read();
  }

  /** Reads the list anew, as much of it as was loaded before. */
  async read() {
    const reading = ++this.reading;
    const wanted = Math.min(this.threads.length, maxReread);
    this.loadingMore = false;
    this.arrived = [];
    if (this.threads.length === 0) this.change({ state: "loading" });
    /** @type {Thread[]} */
    const fresh = [];
    let cursor = /** @type {string | null} */ (null);
    try {
      do {
        const page = await this.page(cursor);
        if (reading !== this.reading) return;
        fresh.push(...page.threads);
        cursor = page.cursor;
      } while (cursor !== null && fresh.length < wanted);
    } catch (error) {
      // A lost connection is not an error of the list: it is read again after the next connect.
      if (reading === this.reading && this.source.state.phase === "connected") this.change({ state: "failed", error });
      return;
    }
    // Live frames of the meantime may be newer than the pages.
    const live = new Map(this.threads.map((thread) => [thread.id, thread]));
    this.threads = [];
    for (const thread of fresh) this.insert(newer(thread, live.get(thread.id)));
    const oldest = this.threads.at(-1);
    if (this.query !== "" && this.canQuery) {
      for (const thread of this.listed) if (!thread.title && matches(thread, this.query)) this.insert(thread);
    }
    for (const thread of this.arrived ?? []) {
      if (!oldest || cursor === null || orderKey(thread) > orderKey(oldest)) this.insert(thread);
    }
    this.arrived = null;
    this.cursor = cursor;
    this.change({ state: "ready", error: undefined });
  }

  /** Adds the next page. */
  async loadMore() {
    if (this.loadingMore || this.cursor === null || this.state !== "ready") return;
    const { reading } = this;
    this.loadingMore = true;
    this.change({});
    try {
      const page = await this.page(this.cursor);
      if (reading !== this.reading) return;
      for (const thread of page.threads) this.insert(thread);
      this.cursor = page.cursor;
      this.error = undefined;
    } catch (error) {
      if (reading !== this.reading) return;
      this.error = error;
    }
    this.loadingMore = false;
    this.change({});
  }

  /** Repeats what has failed. */
  retry() {
    const wasMore = this.state === "ready";
    this.error = undefined;
    void (wasMore ? this.loadMore() : this.read());
  }

  /** @param {string | null} cursor */
  async page(cursor) {
    const { threads, cursor: next } = await this.source.listThreads({
      limit: pageSize,
      ...(cursor !== null && { cursor }),
      ...(this.query !== "" && this.canQuery && { query: this.query }),
    });
    return { threads: Array.isArray(threads) ? threads.filter(isThread).map(readable) : [], cursor: next ?? null };
  }

  /**
   * A thread of a live frame.
   *
   * @param {Thread} sent
   */
  upsert(sent) {
    if (!isThread(sent)) return;
    const thread = readable(sent);
    this.deleted.delete(thread.id);
    const at = this.threads.findIndex(({ id }) => id === thread.id);
    if (at < 0 && this.query !== "" && this.canQuery && !matches(thread, this.query)) return;
    this.arrived?.push(thread);
    if (at >= 0) {
      this.threads[at] = newer(thread, this.threads[at]);
      this.#orderSoon(at);
      this.change({});
      return;
    }
    if (this.#orderTimer) this.#order();
    const oldest = this.threads.at(-1);
    // A thread of a later page comes with that page.
    if (this.hasMore && oldest && orderKey(thread) < orderKey(oldest)) return;
    this.insert(thread);
    this.change({});
  }

  /** Moves a thread to its new place, now or after the pause. @param {number} at its index */
  #orderSoon(at) {
    const [before, key, after] = [at - 1, at, at + 1].map((index) => this.threads[index] && orderKey(this.threads[index]));
    const isInPlace = (before === undefined || before >= key) && (after === undefined || after <= key);
    if (isInPlace || this.#orderTimer) return;
    const wait = this.#orderedAt + orderPause - performance.now();
    if (wait <= 0) return this.#order();
    this.#orderTimer = window.setTimeout(() => {
      this.#order();
      this.change({});
    }, wait);
  }

  #order() {
    clearTimeout(this.#orderTimer);
    this.#orderTimer = 0;
    this.#orderedAt = performance.now();
    const keys = new Map(this.threads.map((thread) => [thread, orderKey(thread)]));
    const keyOf = (/** @type {Thread} */ thread) => keys.get(thread) ?? "";
    this.threads.sort((one, other) => (keyOf(one) < keyOf(other) ? 1 : keyOf(one) > keyOf(other) ? -1 : 0));
  }

  /** @param {string} id */
  remove(id) {
    this.deleted.add(id);
    forgetName(id);
    this.threads = this.threads.filter((thread) => thread.id !== id);
    this.change({});
  }

  /**
   * Puts a thread at its place, unless it is there in a newer state.
   *
   * @param {Thread} thread
   */
  insert(thread) {
    if (this.deleted.has(thread.id)) return;
    const at = this.threads.findIndex(({ id }) => id === thread.id);
    const shown = at < 0 ? thread : newer(thread, this.threads[at]);
    if (at >= 0) this.threads.splice(at, 1);
    this.threads.splice(placeOf(orderKey(shown), this.threads), 0, shown);
  }

  /** @param {{state?: "loading" | "ready" | "failed", error?: unknown}} changes */
  change(changes) {
    Object.assign(this, changes);
    this.dispatchEvent(new Event("change"));
  }
}

/** Whether a value is a thread that can be shown. @param {any} value */
function isThread(value) {
  return typeof value?.id === "string" && value.id !== "";
}

/** A thread whose texts are texts. @param {Thread} thread @returns {Thread} */
function readable(thread) {
  const text = (/** @type {unknown} */ value) => (typeof value === "string" ? value : undefined);
  const { title, created_at, updated_at, last_event_at } = thread;
  const times = { created_at: text(created_at), updated_at: text(updated_at), last_event_at: text(last_event_at) };
  return { ...thread, ...times, title: text(title) };
}

/**
 * The later state of a thread.
 *
 * @param {Thread} thread
 * @param {Thread | undefined} other
 */
function newer(thread, other) {
  return other && timeKey(other.updated_at) > timeKey(thread.updated_at) ? other : thread;
}

/**
 * The index at which a thread belongs in a list with the newest first.
 *
 * @param {string} key
 * @param {Thread[]} threads
 */
function placeOf(key, threads) {
  let low = 0;
  let high = threads.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (orderKey(threads[middle]) > key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Whether a thread has a name that contains a text, in any case of its letters.
 *
 * @param {Thread} thread
 * @param {string} query
 */
export function matches(thread, query) {
  return (knownName(thread) ?? "").toLocaleLowerCase().includes(query.toLocaleLowerCase());
}

/** The list of the current client. */
export const threadList = signal(/** @type {ThreadList | null} */ (null));

effect(() => {
  const source = client.value;
  const list = source && new ThreadList(source);
  threadList.value = list;
  return () => list?.close();
});
