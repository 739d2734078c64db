/** Reads new messages to users of a screen reader: whole sentences, not each piece of a streamed text. */

import { textOf } from "./content.js";

/** Sentences are read together, at most this often, in milliseconds. */
const PAUSE = 2_500;

/** A longer text is cut. */
const LONGEST = 600;

export class Reader {
  /** @param {(text: string) => void} announce */
  constructor(announce) {
    this.announce = announce;
    /** The `seq` up to which everything was read. Undefined until the conversation is open. */
    this.seq = /** @type {number | undefined} */ (undefined);
    /** The number of characters of the streamed message that were read. */
    this.done = 0;
    this.at = 0;
  }

  /** @param {import("../../client.js").Conversation} conversation */
  read({ events, state, threadId }) {
    if (state !== "open" && threadId) return;
    const last = events?.at(-1)?.seq ?? 0;
    if (this.seq === undefined) {
      this.seq = last;
      return;
    }
    if (last < this.seq) return;
    for (let position = firstAfter(events, this.seq); position < events.length; position += 1) {
      const event = events[position];
      if (event.actor !== "assistant" || event.type !== "message") {
        if (event.actor === "system" && event.type === "message") this.announce(cut(textOf(event.content)));
        this.seq = event.seq;
        continue;
      }
      const text = textOf(event.content);
      if (event.streaming) {
        this.readSentences(text);
        return;
      }
      const rest = text.slice(this.done).trim();
      if (rest) this.announce(cut(rest));
      this.done = 0;
      this.seq = event.seq;
    }
  }

  /** @param {string} text */
  readSentences(text) {
    if (Date.now() - this.at < PAUSE) return;
    const end = text.slice(this.done).search(/[.!?:\u3002\uff01\uff1f]["')\]]?\s[^.!?:\u3002\uff01\uff1f]*$/);
    if (end < 0) return;
    const upTo = this.done + end + 1;
    this.announce(cut(text.slice(this.done, upTo).trim()));
    this.done = upTo;
    this.at = Date.now();
  }
}

/**
 * The position of the first event after a `seq`.
 *
 * @param {import("../../client.js").ThreadEvent[]} events
 * @param {number} seq
 */
function firstAfter(events, seq) {
  let position = events.length;
  while (position > 0 && events[position - 1].seq > seq) position -= 1;
  return position;
}

/** @param {string} text */
function cut(text) {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}… The message has ${text.length} characters.` : text;
}
