/** Live views of a worker: its settings and its analytics. */

import { patiently, ServerError } from "./errors.js";

/** @typedef {import("./types.js").SettingsField} SettingsField */
/** @typedef {import("./types.js").SettingsFieldGroup} SettingsFieldGroup */

/**
 * The parts of a client that a live view uses.
 *
 * @typedef {object} Host
 * @property {import("./connection.js").Connection} connection
 * @property {string} workerId
 * @property {(view: LiveView) => void} onClose
 */

/** A subscription of the worker. It dispatches `change` after every change. */
class LiveView extends EventTarget {
  /** @type {"opening" | "open" | "failed"} */
  state = "opening";
  /** @type {Error | undefined} */
  error;
  /** @type {Host} */
  host;
  #isClosed = false;

  /** @param {Host} host */
  constructor(host) {
    super();
    this.host = host;
  }

  /**
   * Subscribes. The client calls it after each `connect`.
   *
   * @param {string} type
   * @param {object} [options]
   */
  async follow(type, options) {
    try {
      await patiently(async () => {
        // Without a connection, the next one subscribes.
        if (this.#isClosed || !this.host.connection.connected) return;
        await this.host.connection.request(type, { agent_id: this.host.workerId, ...options });
      });
      this.state = "open";
      this.error = undefined;
    } catch (error) {
      if (!(error instanceof ServerError)) return;
      this.state = "failed";
      this.error = error;
    }
    this.changed();
  }

  /** Ends the subscription. */
  close() {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.host.onClose(this);
  }

  /** Dispatches `change`. */
  changed() {
    if (!this.#isClosed) this.dispatchEvent(new Event("change"));
  }
}

/** The settings of the worker, as an audience sees them. */
export class SettingsView extends LiveView {
  /** @type {(SettingsField | SettingsFieldGroup)[]} */
  fields = [];
  /** @type {string | null} */
  updatedAt = null;
  /** @type {"user" | "creator"} */
  audience;

  /**
   * @param {Host} host
   * @param {"user" | "creator"} audience
   */
  constructor(host, audience) {
    super(host);
    this.audience = audience;
  }

  /** Subscribes. The client calls it after each `connect`. */
  subscribe() {
    return this.follow("settings.subscribe", { audience: this.audience });
  }

  /**
   * Changes a field. The new value is in `fields` when the server has published it.
   *
   * @param {string} fieldId
   * @param {any} value
   * @returns {Promise<void>}
   */
  async patch(fieldId, value) {
    await this.host.connection.request("settings.patch", { agent_id: this.host.workerId, field_id: fieldId, value });
  }

  /** Shows a frame. The client calls it. @param {import("./types.js").Frame} frame */
  receive({ type, payload }) {
    if (type === "settings.snapshot") this.fields = readable(payload.fields);
    else this.fields = this.fields.map((field) => changed(field, payload));
    this.updatedAt = payload.updated_at ?? this.updatedAt;
    this.changed();
    // Only a snapshot shows whether a password is set.
    const patched = type === "settings.patch" && all(this.fields).find(({ id }) => id === payload.field_id);
    if (patched && patched.type === "password") this.subscribe();
  }
}

/**
 * Leaves out what is not an object, also in groups.
 *
 * @param {unknown} fields
 * @returns {any[]}
 */
function readable(fields) {
  const objects = Array.isArray(fields) ? fields.filter((field) => field !== null && typeof field === "object") : [];
  return objects.map((field) => ("fields" in field ? { ...field, fields: readable(field.fields) } : field));
}

/** The fields inside and outside of groups. @param {(SettingsField | SettingsFieldGroup)[]} fields @returns {SettingsField[]} */
function all(fields) {
  return fields.flatMap((field) => ("fields" in field ? field.fields : [field]));
}

/**
 * @template {SettingsField | SettingsFieldGroup} T
 * @param {T} field
 * @param {{field_id?: string, value?: any}} change
 * @returns {T}
 */
function changed(field, change) {
  if ("fields" in field) {
    return { ...field, fields: field.fields.map((inner) => changed(inner, change)) };
  }
  return field.id === change.field_id ? { ...field, value: change.value ?? null } : field;
}

/** The live analytics of the worker. It dispatches `event` with an `AnalyticsEvent` as `detail`. */
export class AnalyticsFeed extends LiveView {
  /** Subscribes. The client calls it after each `connect`. */
  subscribe() {
    return this.follow("analytics.subscribe");
  }

  /** Shows a frame. The client calls it. @param {import("./types.js").Frame} frame */
  receive({ payload }) {
    this.dispatchEvent(new CustomEvent("event", { detail: payload }));
  }
}
