/** A form of an agent. */

import { conceal } from "../../state/secrets.js";
import { html, useEffect, useRef, useState } from "../../ui.js";
import { answerOf, defaultOf, own, problemOf } from "./form-values.js";
import { FormField, ShownValue } from "./form-field.js";
import { decisionOf } from "./forms.js";
import { useKept } from "./fold.js";
import { dateAndTime } from "./format.js";
import { identity } from "../../state/session.js";
import { plain } from "../../plain.js";

/**
 * @param {{event: import("../../client.js").ThreadEvent, state: import("./forms.js").FormState | undefined,
 *   view: import("./row.js").View}} props
 */
export function Form({ event, state, view }) {
  const data = /** @type {any} */ (event.data);
  const elements = sorted(data.elements);
  const phase = state?.phase ?? "open";
  const size = ["small", "medium", "large"].includes(data.size) ? data.size : "medium";
  const message = plain(data.message || "");
  const [question, ...more] = message.split(/\n{2,}/);
  return html`<div class=${`form ${size} ${phase}`} role="group" aria-label=${message.replace(CODE, "$1") || "Form"}>
    ${question && html`<p class="question" dir="auto">${withCode(question)}</p>`}
    ${more.map((text) => html`<p class="more" dir="auto">${withCode(text)}</p>`)}
    ${state?.asked && phase !== "answered" && html`<${Waiting} state=${state} />`}
    ${phase === "answered" && html`<${Answered} elements=${elements} state=${state} />`}
    ${phase !== "answered" && phase !== "closed"
      && html`<${OpenForm} event=${event} elements=${elements} state=${state} view=${view} />`}
  </div>`;
}

/** A part of a text between backticks. */
const CODE = /`([^`\n]+)`/g;

/**
 * A text whose parts between backticks are shown as code.
 *
 * @param {string} text
 */
function withCode(text) {
  return text.split(CODE).map((part, index) => (index % 2 ? html`<code dir="auto">${part}</code>` : part));
}

/**
 * Whether and until when the agent waits for the answer.
 *
 * @param {{state: import("./forms.js").FormState}} props
 */
export function Waiting({ state: { asked, phase, outgoing } }) {
  if (phase === "closed") {
    const refusal = outgoing?.status === "failed" ? outgoing.error?.message ?? "" : "";
    return html`<p class="muted">Nobody has answered, and the agent no longer waits.</p>
      ${refusal && html`<p class="notice error" role="alert">${plain(refusal)}</p>`}`;
  }
  const from = isForOther(asked) ? html` from <bdi>${plain(asked?.user_id)}</bdi>` : "";
  const end = dateAndTime(asked?.expires_at);
  return html`<p class="muted">The agent waits for an answer${from}${end && ` until ${end}`}.</p>`;
}

/**
 * Whether only another user may answer. With a token, the server knows the user and this page may not.
 *
 * @param {{user_id?: unknown} | undefined} asked
 */
function isForOther(asked) {
  const { token, user } = identity.value;
  return asked?.user_id !== undefined && token === "" && asked.user_id !== user.user_id;
}

/** @param {any[]} elements */
function sorted(elements) {
  // `sort` keeps the position of elements with the same order.
  return elements.filter((element) => element && typeof element === "object")
    .sort((one, other) => (Number(one.order) || 0) - (Number(other.order) || 0));
}

/** @param {{elements: any[], state: import("./forms.js").FormState | undefined}} props */
function Answered({ elements, state }) {
  const data = state?.answer?.data;
  const decision = decisionOf(state);
  if (!decision && data?.cancelled) return html`<p class="muted">Canceled.</p>`;
  return html`${decision && html`<p class="muted">${decision === "refused" ? "Refused" : "Approved"}</p>`}
  <dl class="values">
    ${elements.map((element) => html`<div key=${element.name}>
      <dt dir="auto">${plain(element.label || element.name)}</dt>
      <dd><${ShownValue} element=${element} value=${own(data?.values, element.name)}
        hasValue=${data?.has_value?.includes?.(element.name) ?? false} /></dd>
    </div>`)}
  </dl>`;
}

/**
 * @param {{event: import("../../client.js").ThreadEvent, elements: any[], state: import("./forms.js").FormState | undefined,
 *   view: import("./row.js").View}} props
 */
function OpenForm({ event, elements, state, view }) {
  const data = /** @type {any} */ (event.data);
  const before = state?.outgoing?.event.data?.values ?? state?.answer?.data?.values ?? {};
  const [values, setValues] = useKept(`form ${event.id}`, initialOf(elements, before));
  const [problems, setProblems] = useState(/** @type {Record<string, string>} */ ({}));
  const hasPassword = elements.some(({ input_type }) => input_type === "password");
  const form = useRef(/** @type {HTMLFormElement | null} */ (null));
  const isSending = state?.phase === "sending";
  const isLocked = isSending || isForOther(state?.asked);
  const isRefused = state?.outgoing?.status === "failed";
  const refusal = isRefused ? state.outgoing?.error?.message ?? "The server refused this answer." : "";
  // A file cannot be given. A form that requires one can only be canceled.
  const needsFile = elements.some(({ type, required, disabled }) => type === "file_input" && required && !disabled);
  useEffect(() => {
    const first = /** @type {HTMLElement | null | undefined} */ (form.current?.querySelector("[aria-invalid=true]"));
    if (Object.keys(problems).length > 0) first?.focus();
  }, [problems]);

  const send = (/** @type {boolean} */ cancelled) => {
    if (state?.outgoing) view.conversation.discard(state.outgoing.client_event_id);
    const answer = { form_event_id: event.id, cancelled, values: cancelled ? {} : answerOf(elements, values) };
    for (const { name } of elements.filter(({ input_type }) => input_type === "password")) conceal(String(own(answer.values, name) ?? ""));
    view.conversation.send([], { type: "form.response", data: answer });
  };
  // Fields that did not change keep the function of an earlier rendering.
  const latest = useRef({ values, problems });
  latest.current = { values, problems };
  const change = (/** @type {string} */ name, /** @type {unknown} */ value) => {
    const { current } = latest;
    current.values = { ...current.values, [name]: value };
    setValues(current.values);
    if (own(current.problems, name)) setProblems({ ...current.problems, [name]: "" });
  };
  const onSubmit = (/** @type {Event} */ submit) => {
    submit.preventDefault();
    const checked = elements.map((element) => [element.name, problemOf(element, own(values, element.name))]);
    const found = Object.fromEntries(checked.filter(([, problem]) => problem !== ""));
    setProblems(found);
    if (Object.keys(found).length === 0) send(false);
  };
  return html`<form novalidate ref=${form} onSubmit=${onSubmit}>
    ${state?.phase === "again" && html`<p class="notice warning">
      The turn of your answer did not succeed, so the form is open again.${hasPassword ? " Please enter passwords again." : ""}
    </p>`}
    ${elements.map((element) => html`<${FormField} key=${element.name} id=${`${event.id} ${element.name}`} element=${element}
      value=${own(values, element.name)} problem=${own(problems, element.name) ?? ""} isDisabled=${isLocked}
      onChange=${(/** @type {unknown} */ value) => change(element.name, value)} />`)}
    ${refusal && html`<p class="notice error" role="alert">${plain(refusal)}</p>`}
    <div class="actions">
      <button type="submit" class="button primary" disabled=${isLocked || needsFile}>
        ${isSending ? "Sending…" : plain(data.submit_label || "Submit")}
      </button>
      <button type="button" class="button" disabled=${isLocked} onClick=${() => send(true)}>
        ${plain(data.cancel_label || "Cancel")}
      </button>
    </div>
  </form>`;
}

/** @param {any[]} elements @param {Record<string, unknown>} before */
function initialOf(elements, before) {
  return Object.fromEntries(elements.map((element) => [element.name, own(before, element.name) ?? defaultOf(element)]));
}
