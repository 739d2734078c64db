/** Messages that were not acknowledged, in the storage of the browser. Each message is one item, so tabs do not conflict. */

/** @typedef {import("./types.js").OutgoingMessage} OutgoingMessage */

const PREFIX = "dooers.outbox";
const MOST_MESSAGES = 100;
/** The server forgets the `client_event_id` of a deleted thread after this time. */
const RETRY_DAYS = 7;
const KEPT_DAYS = 30;
const DAY_MS = 86_400_000;

/** A short digest of a token, so that the storage does not contain the token. @param {string} text */
function digest(text) {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(text)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return hash.toString(16);
}

export class MessageStorage {
  #storage;
  #prefix;
  #count = 0;

  /**
   * @param {Storage | undefined} storage
   * @param {string} url
   * @param {import("./types.js").Identity} identity
   * @param {string | undefined} token
   */
  constructor(storage, url, identity, token) {
    const { worker_id, organization_id, workspace_id, user } = identity;
    const owner = [url, worker_id, organization_id, workspace_id, user.user_id, token ? digest(token) : ""];
    this.#storage = storage;
    this.#prefix = `${PREFIX} ${JSON.stringify(owner)} `;
  }

  /** Reads the messages of this identity, the oldest first, and removes outdated messages of all identities. */
  load() {
    /** @type {OutgoingMessage[]} */
    const messages = [];
    for (const key of this.#keys()) {
      const message = this.#read(key);
      const age = message ? Date.now() - Date.parse(message.created_at) : Infinity;
      if (!message || !(age < KEPT_DAYS * DAY_MS)) {
        this.#attempt((storage) => storage.removeItem(key));
      } else if (key.startsWith(this.#prefix)) {
        if (message.status === "sending" && age > RETRY_DAYS * DAY_MS) {
          message.status = "failed";
          message.error = new Error(`not sent for ${RETRY_DAYS} days`);
        }
        messages.push(message);
      }
    }
    this.#count = messages.length;
    return messages.sort((one, other) => Date.parse(one.created_at) - Date.parse(other.created_at));
  }

  /** @param {OutgoingMessage} message */
  save({ client_event_id, event, metadata, created_at, status, error, conversation, thread_id }) {
    const key = this.#prefix + client_event_id;
    const reason = error?.message;
    const text = JSON.stringify({ client_event_id, event, metadata, created_at, status, reason, conversation, thread_id });
    this.#attempt((storage) => {
      const isNew = storage.getItem(key) === null;
      if (isNew && this.#count >= MOST_MESSAGES) return;
      storage.setItem(key, text);
      if (isNew) this.#count += 1;
    });
  }

  /** Whether a message is stored, or cannot be looked up. @param {string} clientEventId */
  has(clientEventId) {
    let isStored = true;
    this.#attempt((storage) => {
      isStored = storage.getItem(this.#prefix + clientEventId) !== null;
    });
    return isStored;
  }

  /** @param {string} clientEventId */
  remove(clientEventId) {
    const key = this.#prefix + clientEventId;
    this.#attempt((storage) => {
      if (storage.getItem(key) === null) return;
      storage.removeItem(key);
      this.#count -= 1;
    });
  }

  #keys() {
    /** @type {string[]} */
    const keys = [];
    this.#attempt((storage) => {
      for (let index = 0; index < storage.length; index += 1) {
        const key = storage.key(index);
        if (key?.startsWith(`${PREFIX} `)) keys.push(key);
      }
    });
    return keys;
  }

  /**
   * @param {string} key
   * @returns {OutgoingMessage | null} null if the item is not a message
   */
  #read(key) {
    try {
      const { reason, ...message } = JSON.parse(this.#storage?.getItem(key) ?? "null");
      const isMessage = typeof message.client_event_id === "string" && Array.isArray(message.event?.content);
      if (!isMessage) return null;
      return message.status === "failed" ? { ...message, error: new Error(reason) } : { ...message, status: "sending" };
    } catch {
      return null;
    }
  }

  /** Storage may be full or forbidden. Messages are then kept in memory only. @param {(storage: Storage) => void} action */
  #attempt(action) {
    try {
      if (this.#storage) action(this.#storage);
    } catch {
      // The message is still sent while the page is open.
    }
  }
}
