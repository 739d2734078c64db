/** The analytics events of this tab, counted while they arrive. */

import { plain } from "../../plain.js";
import { addDecimals } from "./numbers.js";

/** @typedef {import("../../client.js").AnalyticsEvent} AnalyticsEvent */

/**
 * @typedef {object} FeedEntry
 * @property {number} key
 * @property {number} at the time of arrival, in milliseconds
 * @property {string} name
 * @property {number} dropped the number of events that were lost right before this one
 * @property {AnalyticsEvent} event
 */

/** @typedef {{count: number, timed: number, duration: number}} RunCount */
/** @typedef {{input: number, output: number, cached: number, costs: Map<string, string>}} Usage */

/** The maximum number of events that are kept. The counters include older ones. */
export const MAX_EVENTS = 1000;

/** The maximum number of runs whose usage is kept apart. A run that is older reports no other usage any more. */
const MAX_RUNS = 1000;

/** @param {unknown} value */
function numberOf(value) {
  return typeof value === "number" ? value : 0;
}

/** Counts events. Dispatches "change" after every change. */
export class AnalyticsStore extends EventTarget {
  /** The newest first. @type {FeedEntry[]} */
  entries = [];
  total = 0;
  dropped = 0;
  /** The time at which counting began, in milliseconds. */
  since = Date.now();
  /** The number of events of each name. @type {Map<string, number>} */
  names = new Map();
  /** The runs that ended, by status. @type {Map<string, RunCount>} */
  runs = new Map();
  /** The usage of each of the newest runs, by its id. @type {Map<string, unknown[]>} */
  usage = new Map();
  /** The usage of all older runs. @type {Usage | null} */
  #older = null;

  /** Forgets all events and counts, and begins again. */
  clear() {
    this.since = Date.now();
    this.entries = [];
    this.total = 0;
    this.dropped = 0;
    this.names.clear();
    this.runs.clear();
    this.usage.clear();
    this.#older = null;
    this.dispatchEvent(new Event("change"));
  }

  /**
   * Adds an event of any shape.
   *
   * @param {AnalyticsEvent} event
   */
  add(event) {
    const name = typeof event?.event === "string" ? event.event : "(without a name)";
    const dropped = numberOf(event?.dropped);
    const data = /** @type {Record<string, unknown>} */ (event?.data ?? {});
    this.entries = [
      { key: ++this.total, at: Date.now(), name, dropped, event },
      ...this.entries.slice(0, MAX_EVENTS - 1),
    ];
    this.dropped += dropped;
    this.names.set(name, (this.names.get(name) ?? 0) + 1);
    if (name === "run.finished") this.#countRun(data);
    if (Array.isArray(data.usage) && event.run_id) this.#setUsage(event.run_id, data.usage);
    this.dispatchEvent(new Event("change"));
  }

  /**
   * Adds the usage of a run of a thread that this tab shows.
   *
   * @param {unknown} run
   */
  addRun(run) {
    const { id, usage } = /** @type {{id?: unknown, usage?: unknown}} */ (run ?? {});
    if (typeof id !== "string" || !Array.isArray(usage)) return;
    this.#setUsage(id, usage);
    this.dispatchEvent(new Event("change"));
  }

  /** @param {Record<string, unknown>} data */
  #countRun({ status, duration_ms: duration }) {
    const key = typeof status === "string" ? status : "unknown";
    const run = this.runs.get(key) ?? { count: 0, timed: 0, duration: 0 };
    run.count++;
    if (typeof duration === "number") {
      run.timed++;
      run.duration += duration;
    }
    this.runs.set(key, run);
  }

  /**
   * A running run reports its usage several times.
   *
   * @param {string} run
   * @param {unknown[]} usage
   */
  #setUsage(run, usage) {
    if (usage.length === 0 && !this.usage.has(run)) return;
    this.usage.delete(run);
    this.usage.set(run, usage);
    if (this.usage.size <= MAX_RUNS) return;
    const [[oldest, last]] = this.usage;
    this.usage.delete(oldest);
    this.#older = sumOf(this.#older, last);
  }

  /**
   * Sums up the usage of all known runs.
   *
   * @returns {Usage | null}
   */
  sumUsage() {
    if (this.usage.size === 0) return null;
    return sumOf(this.#older, [...this.usage.values()].flat());
  }
}

/**
 * Adds usage to a sum, which stays as it is.
 *
 * @param {Usage | null} sum
 * @param {unknown[]} usage
 * @returns {Usage}
 */
function sumOf(sum, usage) {
  const all = { ...(sum ?? { input: 0, output: 0, cached: 0 }), costs: new Map(sum?.costs) };
  for (const item of usage) {
    const { input_tokens, output_tokens, cached_tokens, costs } = /** @type {Record<string, unknown>} */ (item ?? {});
    all.input += numberOf(input_tokens);
    all.output += numberOf(output_tokens);
    all.cached += numberOf(cached_tokens);
    for (const cost of Array.isArray(costs) ? costs : []) {
      const currency = plain(cost?.currency ?? "?");
      all.costs.set(currency, addDecimals(all.costs.get(currency) ?? "0", plain(cost?.amount)));
    }
  }
  return all;
}
