/** The panel of the analytics: what happens at the agent, live. */

import { writeJson } from "../../client.js";
import { announce } from "../../state/session.js";
import { html, useChanges, useEffect, useId, useMemo, useRef, useState, useValue } from "../../ui.js";
import { feed, retry, store, subscribe } from "./analytics-session.js";
import { Names, Summary } from "./analytics-summary.js";
import { Details } from "./details.js";
import { clockOf, countOf } from "./numbers.js";
import { VirtualList } from "./virtual-list.js";

/** @typedef {import("./analytics-store.js").FeedEntry} FeedEntry */

/** Shows the analytics of the agent. */
export function AnalyticsPanel() {
  const id = useId();
  const source = useValue(feed);
  useEffect(subscribe, []);
  useChanges(source);
  useChanges(store);
  return html`<section class="panel analytics" aria-labelledby=${`${id}-title`}>
    <h2 class="visually-hidden" id=${`${id}-title`}>Analytics</h2>
    ${
      !source
        ? html`<div class="panel-body"><p class="muted">Choose an agent to see its analytics.</p></div>`
        : source.state === "failed"
          ? html`<${Failure} error=${source.error} />`
          : html`<${Live} />`
    }
  </section>`;
}

/** The counters, and the newest events first. */
function Live() {
  const [name, setName] = useState("");
  const [isPaused, setPaused] = useState(false);
  const [isHovered, setHovered] = useState(false);
  const [heldAt, setHeldAt] = useState(0);
  const [opened, setOpened] = useState(/** @type {number | null} */ (null));
  const isHeld = isPaused || isHovered;
  const hold = (/** @type {boolean} */ value) => {
    if (value && !isHeld) setHeldAt(store.total);
  };
  const rows = useMemo(
    () =>
      store.entries.filter((entry) => (name === "" || entry.name === name) && (!isHeld || entry.key <= heldAt)),
    [store.entries, name, isHeld, heldAt],
  );
  const waiting = isHeld ? store.total - heldAt : 0;
  const list = useRef(/** @type {HTMLDivElement | null} */ (null));
  const close = () => {
    list.current?.querySelector(/** @type {"div"} */ (".rows"))?.focus();
    setOpened(null);
  };
  const clear = () => {
    store.clear();
    setName("");
    setHeldAt(0);
    setOpened(null);
    announce("The events are cleared");
  };
  const entry = opened === null ? undefined : store.entries.find(({ key }) => key === opened);
  return html`
    <div class="panel-top">
      <${Summary} store=${store} />
      <${Names} store=${store} chosen=${name} onChoose=${setName} />
    </div>
    <div class="feed-head">
      <h3>${name || "All events"}</h3>
      <span class="muted">${countOf(name ? (store.names.get(name) ?? 0) : store.total)}</span>
      <span class="muted held">${
        waiting > 0 ? `${countOf(waiting)} new` : ""
      }</span>
      <button
        class="button quiet"
        type="button"
        aria-pressed=${isPaused}
        onClick=${() => {
          hold(!isPaused);
          setPaused(!isPaused);
        }}
      >${isPaused ? "Resume" : "Pause"}</button>
      <button class="button quiet" type="button" disabled=${store.total === 0} onClick=${clear}>Clear</button>
    </div>
    <div
      class="feed"
      ref=${list}
      onPointerEnter=${(/** @type {PointerEvent} */ event) => {
        // A finger does not hover.
        if (event.pointerType !== "mouse") return;
        hold(true);
        setHovered(true);
      }}
      onPointerLeave=${() => setHovered(false)}
    >
      <${VirtualList}
        label="Events, the newest first"
        rows=${rows}
        keyOf=${(/** @type {FeedEntry} */ { key }) => key}
        render=${renderRow}
        opened=${opened}
        onOpen=${setOpened}
        empty=${store.total === 0 ? "Send a message: its events appear here." : "No events."}
      />
    </div>
    ${entry && html`<${EventDetails} entry=${entry} onClose=${close} />`}
  `;
}

/** @param {FeedEntry} entry */
function renderRow({ at, name, dropped, event }) {
  return html`
    <time class="frame-time">${clockOf((typeof event?.timestamp === "string" && Date.parse(event.timestamp)) || at)}</time>
    <span class="frame-type">${name}</span>
    ${dropped > 0 && html`<span class="tag">${countOf(dropped)} lost before</span>`}
    <span class="frame-hint">${hintOf(event)}</span>
  `;
}

/**
 * The most telling value of an event.
 *
 * @param {import("../../client.js").AnalyticsEvent} event
 */
function hintOf(event) {
  const data = /** @type {Record<string, unknown> | null} */ (event?.data ?? null);
  if (data === null || typeof data !== "object") return "";
  const value = data.status ?? data.name ?? data.kind ?? data.target_type ?? data.type ?? Object.values(data)[0];
  return typeof value === "object" ? "" : String(value ?? "");
}

/** @param {{entry: FeedEntry, onClose: () => void}} props */
function EventDetails({ entry, onClose }) {
  const text = useMemo(() => writeJson(entry.event) ?? "null", [entry]);
  return html`<${Details} title=${entry.name} text=${text} label="Event" onClose=${onClose} />`;
}

/** @param {{error: unknown}} props */
function Failure({ error }) {
  const code = /** @type {{code?: string}} */ (error)?.code;
  const message = error instanceof Error ? error.message : "The server does not send its analytics.";
  if (code === "NOT_CONFIGURED") {
    return html`<div class="panel-body">
      <p class="muted">
        This server records no analytics. Its operator turned them off${" "}
        (<code>WORKER_ANALYTICS</code>).
      </p>
    </div>`;
  }
  return html`<div class="panel-body">
    <div class="notice error" role="alert">
      <p>${message}</p>
      ${
        code === "FORBIDDEN" &&
        html`<p>
          Analytics require the right to read them, or the organization role “owner” or “manager” and an identity that
          names the worker.
        </p>`
      }
    </div>
    <div class="actions"><button class="button" type="button" onClick=${retry}>Try again</button></div>
  </div>`;
}
