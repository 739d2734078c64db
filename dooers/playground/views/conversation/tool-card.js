/** A tool call, its approval and its result in one card. */

import { numberText } from "../../client.js";
import { Icon } from "../../icons.js";
import { html } from "../../ui.js";
import { Fold } from "./fold.js";
import { Form, Waiting } from "./form.js";
import { decisionOf } from "./forms.js";
import { between, dateAndTime, duration } from "./format.js";
import { Json } from "./json.js";
import { plain } from "../../plain.js";

/** The arguments in the summary are cut at this length. */
const SUMMARY = 80;

/** The states of a call by the decision about it, if it has not run. */
const STATES = { waiting: "Waiting for approval", refused: "Refused", expired: "Not approved" };

/** @param {{row: import("./rows.js").Row, isRunning: boolean, view: import("./row.js").View}} props */
export function ToolCard({ row, isRunning, view }) {
  const event = /** @type {import("../../client.js").ThreadEvent} */ (row.event);
  const data = event.data ?? {};
  const answer = event.type === "tool.call" ? row.result?.data : data;
  const hasResult = answer !== undefined;
  const decision = row.approval && decisionOf(row.form);
  const stopped = decision && decision !== "approved" ? STATES[decision] : "";
  const failed = hasResult && !stopped && isError(answer?.result);
  const began = decision === "approved" ? row.form?.answer?.created_at : event.created_at;
  const took = row.result ? duration(between(began, row.result.created_at)) : "";
  const state = stopped || (failed ? "Error" : hasResult ? took : isRunning ? "Running…" : "No result");
  const name = plain(data.display_name || data.name || "Tool");
  const summary = html`<span class="name">
      <${Icon} name="tool" /><bdi>${name}</bdi>
    </span>
    <span class="hint mono" dir="auto">${preview(data)}</span>
    <span class=${failed ? "state failed" : "state"}>${state}</span>`;
  return html`<${Fold} id=${event.id} className=${failed ? "tool failed" : "tool"} summary=${summary} content=${() => html`
    ${data.name && plain(data.name) !== name && html`<p class="muted">Name: <bdi class="mono">${plain(data.name)}</bdi></p>`}
    <${Json} id=${`${event.id} args`} label="Arguments" value=${data.args ?? null}
      exact=${numberText(data, "args")} />
    ${row.form && decision && decision !== "waiting" && html`<${Decision} state=${row.form} decision=${decision} />`}
    ${hasResult && html`<${Json} id=${`${event.id} result`} label=${failed ? "Error" : "Result"}
      value=${answer?.result ?? null} exact=${numberText(answer, "result")} />`}
  `} />
  ${decision === "waiting" && html`<${Form} event=${row.approval} state=${row.form} view=${view} />`}`;
}

/**
 * The decision about the call, and who made it.
 *
 * @param {{state: import("./forms.js").FormState, decision: "approved" | "refused" | "expired"}} props
 */
function Decision({ state, decision }) {
  if (decision === "expired") return html`<${Waiting} state=${state} />`;
  const { author, user, created_at } = state.answer ?? {};
  const name = plain(author || user?.user_id || "Anonymous");
  return html`<p class="muted">${decision === "approved" ? "Approved" : "Refused"} by <bdi>${name}</bdi>, ${dateAndTime(created_at)}</p>`;
}

/** @param {any} result */
function isError(result) {
  return Boolean(result && typeof result === "object" && !Array.isArray(result)
    && (result.error || result.is_error === true || result.isError === true || result.ok === false));
}

/**
 * The arguments in one line.
 *
 * @param {any} data of the call
 */
function preview(data) {
  const { args } = data;
  if (args === null || args === undefined) return "";
  if (typeof args !== "object") return short(data, "args");
  const names = Object.keys(args).slice(0, 3);
  const members = names.map((name) => `${Array.isArray(args) ? "" : `${name}: `}${short(args, name)}`);
  return plain(members.join(", ")).slice(0, SUMMARY);
}

/**
 * @param {any} holder
 * @param {string} key
 */
function short(holder, key) {
  const value = holder[key];
  if (Array.isArray(value)) return `[${value.length}]`;
  if (value && typeof value === "object") return "{…}";
  return plain((numberText(holder, key) ?? String(value)).slice(0, SUMMARY));
}
