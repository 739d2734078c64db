/** The state of forms: which answer counts, and whether a form can be answered. */

/** @typedef {import("../../client.js").ThreadEvent} ThreadEvent */
/** @typedef {import("../../client.js").Run} Run */
/** @typedef {import("../../client.js").OutgoingMessage} OutgoingMessage */

/** @typedef {{expires_at?: unknown, user_id?: unknown, tool_call_id?: unknown, closed?: unknown}} Asked */

/**
 * @typedef {object} FormState
 * @property {ThreadEvent} [answer] the last answer
 * @property {Run} [run] the run of the answer
 * @property {OutgoingMessage} [outgoing] an answer that the server has not stored yet
 * @property {Asked} [asked] set if a turn waits for the answer, or has waited for it
 * @property {"open" | "again" | "sending" | "answered" | "closed"} phase `again`: the turn of the answer failed or was
 *   canceled. `closed`: the turn that asked no longer waits
 */

/**
 * The state of each form, by the id of its event.
 *
 * @param {ThreadEvent[]} events
 * @param {Map<string, Run>} runOf runs by the id of the user's event
 * @param {OutgoingMessage[]} outbox
 * @param {Map<string, Run>} runs
 */
export function formStates(events, runOf, outbox, runs) {
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
  for (const event of events) {
    const asked = askedOf(event);
    if (!asked) continue;
    const state = states.get(event.id);
    const run = event.run_id ? runs.get(event.run_id) : undefined;
    const isOver = asked.closed === true || (run !== undefined && run.status !== "running");
    const isClosed = isOver && !state?.answer && state?.phase !== "sending";
    states.set(event.id, { ...state, asked, phase: isClosed ? "closed" : state?.phase ?? "open" });
  }
  return states;
}

/**
 * The member `asked` of a form whose answer a turn waits for.
 *
 * @param {ThreadEvent} event
 * @returns {Asked | undefined}
 */
export function askedOf({ type, data }) {
  const asked = type === "form" ? data?.asked : undefined;
  return asked && typeof asked === "object" ? asked : undefined;
}

/** Whether a form asks a person to approve a tool call. @param {Asked | undefined} asked */
export function isApproval(asked) {
  return typeof asked?.tool_call_id === "string";
}

/**
 * The decision about the tool call that a form asks a person to approve. `waiting`: nobody has decided yet. `expired`: nobody
 * decided in time. Undefined for other forms.
 *
 * @param {FormState | undefined} state
 * @returns {"waiting" | "approved" | "refused" | "expired" | undefined}
 */
export function decisionOf(state) {
  if (!state || !isApproval(state.asked)) return undefined;
  if (state.phase === "closed") return "expired";
  if (state.phase !== "answered") return "waiting";
  return state.answer?.data?.cancelled ? "refused" : "approved";
}
