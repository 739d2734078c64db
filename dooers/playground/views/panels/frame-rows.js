/** The rows of the inspector: the frames that match a filter, with consecutive deltas as one row. */

/** @typedef {import("../../state/frames.js").LogEntry} LogEntry */
/** @typedef {import("../../state/frames.js").FrameLog} FrameLog */

/**
 * @typedef {object} Criteria
 * @property {"" | "in" | "out"} direction
 * @property {string} type
 * @property {string} threadId
 * @property {string} text
 * @property {boolean} groupsDeltas
 */

/**
 * A row: one entry, or the deltas of an event that follow one another.
 *
 * @typedef {object} FrameRow
 * @property {number} key the index of the first entry
 * @property {LogEntry} entry the first entry
 * @property {number} last the index of the last entry
 * @property {number} count
 * @property {number} size
 */

/** Keeps the rows of a log up to date. Only new entries are compared with the filter. */
export class FrameRows {
  /** @type {FrameRow[]} */
  rows = [];
  #seen = 0;
  #key = "";
  /** @type {(entry: LogEntry) => boolean} */
  #matches = () => true;

  /** @param {FrameLog} log */
  constructor(log) {
    this.log = log;
  }

  /**
   * Returns the rows that match, up to an index.
   *
   * @param {Criteria} criteria
   * @param {number} until the index of the first entry that is left out
   */
  update(criteria, until = Infinity) {
    const key = JSON.stringify(criteria);
    const first = this.log.entries[0]?.index ?? this.log.next;
    if (key !== this.#key || this.#seen > until) {
      this.#key = key;
      this.#seen = first;
      this.#matches = matcher(criteria);
      this.rows = [];
    }
    this.#evict(first);
    const fresh = this.log.between(this.#seen, Math.min(until, this.log.next) - 1);
    if (fresh.length > 0) {
      // A new list, because views compare the identity.
      this.rows = this.rows.slice();
      for (const entry of fresh) if (this.#matches(entry)) this.#add(entry, criteria);
    }
    this.#seen = Math.max(this.#seen, Math.min(until, this.log.next));
    return this.rows;
  }

  /** @param {number} first the index of the first entry that is still in the log */
  #evict(first) {
    let evicted = 0;
    while (evicted < this.rows.length && this.rows[evicted].last < first) evicted++;
    if (evicted > 0) this.rows = this.rows.slice(evicted);
    const row = this.rows[0];
    if (row && row.key < first) {
      const entries = deltasOf(this.log, row);
      this.rows = [group(entries[0], entries), ...this.rows.slice(1)];
    }
  }

  /**
   * @param {LogEntry} entry
   * @param {Criteria} criteria
   */
  #add(entry, { groupsDeltas, text }) {
    const row = this.rows.at(-1);
    const isNext =
      groupsDeltas && text === "" && row && entry.type === "event.delta" && row.entry.eventId === entry.eventId;
    if (isNext) {
      this.rows[this.rows.length - 1] = {
        ...row,
        last: entry.index,
        count: row.count + 1,
        size: row.size + entry.size,
      };
    } else {
      this.rows.push(group(entry, [entry]));
    }
  }
}

/**
 * @param {LogEntry} entry
 * @param {LogEntry[]} entries
 * @returns {FrameRow}
 */
function group(entry, entries) {
  const size = entries.reduce((sum, { size }) => sum + size, 0);
  return { key: entry.index, entry, last: entries[entries.length - 1].index, count: entries.length, size };
}

/**
 * Returns the entries of a row.
 *
 * @param {FrameLog} log
 * @param {FrameRow} row
 */
export function deltasOf(log, row) {
  const { eventId } = row.entry;
  return log.between(row.key, row.last).filter(
    (entry) => entry.index === row.key || (entry.type === "event.delta" && entry.eventId === eventId),
  );
}

/**
 * Makes a function that compares entries with a filter. Notes match every filter except a text.
 *
 * @param {Criteria} criteria
 * @returns {(entry: LogEntry) => boolean}
 */
function matcher({ direction, type, threadId, text }) {
  const pattern = text && new RegExp(text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"), "i");
  return (entry) => {
    if (pattern && !pattern.test(entry.text)) return false;
    if (entry.direction === null) return true;
    return (
      (!direction || entry.direction === direction) &&
      (!type || entry.type === type) &&
      (!threadId || entry.threadId === threadId)
    );
  };
}
