/** The state of a run in one line. */

import { Icon } from "../../icons.js";
import { html, useEffect, useReducer, useState } from "../../ui.js";
import { between, count, dateAndTime, duration, sum } from "./format.js";
import { plain } from "../../plain.js";

/** @typedef {import("../../client.js").Run} Run */

/**
 * @param {{run: Run, isExplained?: boolean, view: import("./row.js").View}} props `isExplained`: whether a notice before the
 *   line explains the error
 */
export function RunLine({ run, isExplained = false, view }) {
  const [isStopping, setStopping] = useState(false);
  const usage = usageOf(run);
  if (run.status === "running") {
    const stop = () => {
      setStopping(true);
      view.client.cancel({ run_id: run.id }).catch(() => setStopping(false));
    };
    return html`<div class="run-line running">
      <span class="pulse" aria-hidden="true"></span>
      <span>${isStopping ? "Stopping" : "Working"} <${Elapsed} since=${run.started_at} /></span>
      ${usage && html`<span>${usage}</span>`}
      ${view.client.supports("run.cancel") && html`<button type="button" class="button quiet" disabled=${isStopping} onClick=${stop}>
        <${Icon} name="stop" />Stop
      </button>`}
    </div>`;
  }
  const took = duration(between(run.started_at, run.ended_at));
  const time = html`<span title=${`${dateAndTime(run.started_at)} to ${dateAndTime(run.ended_at)}`}>${stateOf(run, took)}</span>`;
  return html`<div class="run-line ${run.status === "failed" ? "failed" : ""}">
    ${time}
    ${usage && html`<span>${usage}</span>`}
    ${run.status === "failed" && run.error && !isExplained && html`<span class="reason" dir="auto">${plain(run.error)}</span>`}
    ${run.status === "failed" && html`<${AskAgain} run=${run} view=${view} />`}
  </div>`;
}

/**
 * Sends the message of a failed run once more, as a new message.
 *
 * @param {{run: Run, view: import("./row.js").View}} props
 */
function AskAgain({ run, view: { conversation } }) {
  const asked = run.event_id && conversation.events.find(({ id, type }) => id === run.event_id && type === "message");
  const content = asked && asked.content;
  if (!content?.length) return null;
  return html`<button type="button" class="button quiet" title="Send the message again" onClick=${() => conversation.send(content)}>
    <${Icon} name="retry" />Ask again
  </button>`;
}

/**
 * @param {Run} run
 * @param {string} took
 */
function stateOf({ status, started_at, ended_at }, took) {
  const after = took && ` after ${took}`;
  if (status === "canceled") return started_at === ended_at ? "Withdrawn" : `Canceled${after}`;
  if (status === "failed") return `Failed${after}`;
  return status === "succeeded" ? took : `${plain(status)} ${took}`;
}

/**
 * The usage of all models of a run.
 *
 * @param {Run} run
 */
function usageOf({ usage }) {
  if (!Array.isArray(usage) || usage.length === 0) return "";
  const total = (/** @type {"input_tokens" | "output_tokens" | "cached_tokens"} */ name) =>
    usage.reduce((all, entry) => all + (typeof entry?.[name] === "number" ? entry[name] : 0), 0);
  const cached = total("cached_tokens");
  const costs = usage.flatMap((entry) => entry?.costs ?? []).filter(Boolean);
  const currencies = [...new Set(costs.map(({ currency }) => currency))];
  const [read, written] = [total("input_tokens"), total("output_tokens")];
  const texts = [
    read > 0 && `${count(read)} tokens in${cached ? ` (${count(cached)} cached)` : ""}`,
    written > 0 && `${count(written)} ${read > 0 ? "" : "tokens "}out`,
    ...currencies.map((currency) => `${sumOf(costs, currency)} ${plain(currency)}`),
    usage.map((entry) => plain(entry?.model)).filter(Boolean).join(", "),
  ];
  return texts.filter(Boolean).join(" \u00b7 ");
}

/**
 * @param {{amount: string, currency: string}[]} costs
 * @param {string} currency
 */
function sumOf(costs, currency) {
  return sum(costs.filter((cost) => cost.currency === currency).map(({ amount }) => plain(amount)));
}

/**
 * The time since a moment, counting.
 *
 * @param {{since: string}} props
 */
function Elapsed({ since }) {
  const [, tick] = useReducer((/** @type {number} */ count) => count + 1, 0);
  useEffect(() => {
    const timer = setInterval(() => tick(undefined), 1000);
    return () => clearInterval(timer);
  }, []);
  // The clock of the server may differ.
  const seconds = Math.max(0, Math.floor((Date.now() - Date.parse(since)) / 1000)) || 0;
  return seconds > 0 && html`<span class="elapsed">${seconds < 60 ? `${seconds} s` : duration(seconds * 1000)}</span>`;
}
