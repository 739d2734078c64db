/** The counters of the analytics: runs, feedback, usage, and events by name. */

import { html } from "../../ui.js";
import { countOf, durationOf } from "./numbers.js";

/** @typedef {import("./analytics-store.js").AnalyticsStore} AnalyticsStore */

/** @param {{store: AnalyticsStore}} props */
export function Summary({ store }) {
  const usage = store.sumUsage();
  const runs = [...store.runs];
  return html`<dl class="summary">
    <div>
      <dt>Events</dt>
      <dd>${countOf(store.total)}</dd>
      ${store.dropped > 0 && html`<dd class="detail warning">${countOf(store.dropped)} lost</dd>`}
    </div>
    <div>
      <dt>Runs</dt>
      <dd>${countOf(runs.reduce((sum, [, { count }]) => sum + count, 0))}</dd>
      ${runs.map(
        ([status, { count, timed, duration }]) =>
          html`<dd class="detail" key=${status}>
            ${countOf(count)} ${status}${timed > 0 && html`, ${durationOf(duration / timed)} on average`}
          </dd>`,
      )}
    </div>
    <div>
      <dt>Feedback</dt>
      <dd>${countOf((store.names.get("feedback.like") ?? 0) + (store.names.get("feedback.dislike") ?? 0))}</dd>
      <dd class="detail">${countOf(store.names.get("feedback.like") ?? 0)} likes</dd>
      <dd class="detail">${countOf(store.names.get("feedback.dislike") ?? 0)} dislikes</dd>
    </div>
    ${
      usage &&
      html`<div>
        <dt>Tokens</dt>
        <dd>${countOf(usage.input + usage.output)}</dd>
        <dd class="detail">${countOf(usage.input)} in, ${countOf(usage.output)} out</dd>
        ${usage.cached > 0 && html`<dd class="detail">${countOf(usage.cached)} cached</dd>`}
        ${[...usage.costs].map(([currency, amount]) => html`<dd class="detail" key=${currency}>${amount} ${currency}</dd>`)}
      </div>`
    }
  </dl>`;
}

/**
 * The number of events of each name. A press shows only those events.
 *
 * @param {{store: AnalyticsStore, chosen: string, onChoose: (name: string) => void}} props
 */
export function Names({ store, chosen, onChoose }) {
  const names = [...store.names].sort(([left], [right]) => left.localeCompare(right));
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
