/** The subscription to the analytics. It starts when the panel is opened first, and continues while it is closed. */

import { client } from "../../state/session.js";
import { effect, signal } from "../../ui.js";
import { AnalyticsStore } from "./analytics-store.js";

/** @typedef {import("../../client.js").AnalyticsFeed} AnalyticsFeed */

/** The events of the chosen agent. */
export const store = new AnalyticsStore();

/** The subscription, once the panel was opened. */
export const feed = signal(/** @type {AnalyticsFeed | null} */ (null));

const isWanted = signal(false);
const attempt = signal(0);

/** Starts the subscription, now and for each agent that is chosen later. */
export function subscribe() {
  isWanted.value = true;
}

/** Tries again after the server refused. */
export function retry() {
  attempt.value++;
}

effect(() => {
  const source = client.value;
  // An attempt is a reason to subscribe again.
  if (!isWanted.value || !source || attempt.value < 0) return undefined;
  store.clear();
  const made = source.analytics();
  const onEvent = (/** @type {Event} */ event) => store.add(/** @type {CustomEvent} */ (event).detail);
  const onFrame = (/** @type {Event} */ event) => {
    const { direction, frame } = /** @type {CustomEvent} */ (event).detail;
    if (direction === "in" && frame?.type === "run.upsert") store.addRun(frame.payload?.run);
  };
  made.addEventListener("event", onEvent);
  source.addEventListener("frame", onFrame);
  feed.value = made;
  return () => {
    made.removeEventListener("event", onEvent);
    source.removeEventListener("frame", onFrame);
    made.close();
    feed.value = null;
  };
});
