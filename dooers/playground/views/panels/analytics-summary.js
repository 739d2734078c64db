/** The counters of the analytics: runs, feedback, usage, and events by name. */

import { html } from "../../ui.js";
import { clockOf, countOf, durationOf } from "./numbers.js";

/** @typedef {import("./analytics-store.js").AnalyticsStore} AnalyticsStore */

/**
 * Runs, feedback, usage and lost events, and since when they are counted.
 *
 * @param {{store: AnalyticsStore}} props
 */
export function Summary({ store }) {
  const usage = store.sumUsage();
  const likes = store.names.get("feedback.like") ?? 0;
  const dislikes = store.names.get("feedback.dislike") ?? 0;
  return html`<dl class="summary">
    <dt>Runs</dt>
    ${store.runs.size === 0 && html`<dd class="none">None yet</dd>`}
    ${[...store.runs].map(
      ([status, { count, timed, duration }]) =>
        html`<dd key=${status}>
          ${countOf(count)} ${status}${timed > 0 && `, ${durationOf(duration / timed)} on average`}
        </dd>`,
    )}
    <dt>Feedback</dt>
    <dd class=${likes + dislikes === 0 ? "none" : ""}>
      ${likes + dislikes === 0 ? "None yet" : `${amountOf(likes, "like")}, ${amountOf(dislikes, "dislike")}`}
    </dd>
    ${
      usage &&
      html`<dt>Tokens</dt>
        <dd>
          ${countOf(usage.input)} in${usage.cached > 0 && ` (${countOf(usage.cached)} cached)`}, ${countOf(usage.output)} out
        </dd>`
    }
    ${
      usage &&
      usage.costs.size > 0 &&
      html`<dt>Cost</dt>
        ${[...usage.costs].map(([currency, amount]) => html`<dd key=${currency}>${amount} ${currency}</dd>`)}`
    }
    ${
      store.dropped > 0 &&
      html`<dt>Lost</dt>
        <dd class="warning">${amountOf(store.dropped, "event")}, because this page read too slowly</dd>`
    }
    <dt>Counted</dt>
    <dd class="none">Since <time>${clockOf(store.since).slice(0, 8)}</time>, while connected</dd>
  </dl>`;
}

/**
 * @param {number} count
 * @param {string} noun
 */
function amountOf(count, noun) {
  return `${countOf(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/**
 * The number of events of each name. A press shows only those events.
 *
 * @param {{store: AnalyticsStore, chosen: string, onChoose: (name: string) => void}} props
 */
export function Names({ store, chosen, onChoose }) {
  const names = [...store.names].sort(([left], [right]) => left.localeCompare(right, "en", { numeric: true }));
  const most = Math.max(1, ...names.map(([, count]) => count));
  if (names.length === 0) return null;
  return html`<div class="names" role="group" aria-label="Filter by name">
    ${names.map(
      ([name, count]) =>
        html`<button
          key=${name}
          class="name"
          type="button"
          aria-pressed=${name === chosen}
          onClick=${() => onChoose(name === chosen ? "" : name)}
        >
          <span class="name-label">${name}</span>
          <span class="name-bar"><span style=${{ width: `${(100 * count) / most}%` }}></span></span>
          <span class="name-count">${countOf(count)}</span>
        </button>`,
    )}
  </div>`;
}
