/** The state of forms: which answer counts, and whether a form can be answered. */

/** @typedef {import("../../client.js").ThreadEvent} ThreadEvent */
/** @typedef {import("../../client.js").Run} Run */
/** @typedef {import("../../client.js").OutgoingMessage} OutgoingMessage */

/**
 * @typedef {object} FormState
 * @property {ThreadEvent} [answer] the last answer
 * @property {Run} [run] the run of the answer
 * @property {OutgoingMessage} [outgoing] an answer that the server has not stored yet
 * @property {"open" | "again" | "sending" | "answered"} phase `again`: the turn of the answer failed or was canceled
 */

/**
 * The state of each form, by the id of its event.
 *
 * @param {ThreadEvent[]} events
 * @param {Map<string, Run>} runOf runs by the id of the user's event
 * @param {OutgoingMessage[]} outbox
 */
export function formStates(events, runOf, outbox) {
  /** @type {Map<string, FormState>} */
  const states = new Map();
  for (const event of events) {
    const id = event.type === "form.response" ? event.data?.form_event_id : undefined;
    if (typeof id !== "string") continue;
    const run = runOf.get(event.id);
    const isOpen = run?.status === "failed" || run?.status === "canceled";
    states.set(id, { answer: event, run, phase: isOpen ? "again" : "answered" });
  }
  for (const outgoing of outbox) {
    const id = outgoing.event.type === "form.response" ? outgoing.event.data?.form_event_id : undefined;
    if (typeof id !== "string") continue;
    const state = states.get(id);
    const phase = outgoing.status === "sending" ? "sending" : state?.phase ?? "open";
    states.set(id, { ...state, outgoing, phase });
  }
  return states;
}
