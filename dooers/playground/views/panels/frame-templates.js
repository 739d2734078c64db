/** Templates of frames, one for each request of the protocol. */

/**
 * The ids that a template is filled in with.
 *
 * @typedef {object} TemplateContext
 * @property {import("../../state/session.js").Identity} identity
 * @property {string | null} threadId
 * @property {string | null} eventId the newest event of the thread
 * @property {string | null} runId the newest run of the thread
 */

/** @type {Record<string, (context: TemplateContext) => Record<string, unknown>>} */
const payloads = {
  ping: () => ({}),
  connect: ({ identity: { worker_id, organization_id, workspace_id, user } }) => ({
    agent_id: worker_id,
    organization_id,
    workspace_id,
    user,
    client: { name: "inspector", version: "1" },
    capabilities: ["event.delta"],
  }),
  "event.create": ({ threadId }) => ({
    ...(threadId && { thread_id: threadId }),
    client_event_id: uniqueId(),
    event: { type: "message", actor: "user", content: [{ type: "text", text: "Hello" }] },
  }),
  "event.list": ({ threadId }) => ({ thread_id: threadId ?? "THREAD", limit: 50 }),
  "thread.list": () => ({ limit: 30 }),
  "thread.subscribe": ({ threadId }) => ({ thread_id: threadId ?? "THREAD" }),
  "thread.unsubscribe": ({ threadId }) => ({ thread_id: threadId ?? "THREAD" }),
  "thread.update": ({ threadId }) => ({ thread_id: threadId ?? "THREAD", title: "A new title" }),
  "thread.delete": ({ threadId }) => ({ thread_id: threadId ?? "THREAD" }),
  "run.cancel": ({ runId }) => ({ run_id: runId ?? "RUN" }),
  feedback: ({ eventId }) => ({ target_type: "event", target_id: eventId ?? "EVENT", feedback: "like" }),
  "settings.subscribe": ({ identity }) => ({ agent_id: identity.worker_id, audience: "user" }),
  "settings.unsubscribe": ({ identity }) => ({ agent_id: identity.worker_id }),
  "settings.patch": () => ({ field_id: "FIELD", value: null }),
  "settings.public_schema": () => ({}),
  "analytics.subscribe": ({ identity }) => ({ agent_id: identity.worker_id }),
  "analytics.unsubscribe": ({ identity }) => ({ agent_id: identity.worker_id }),
};

/** The types of requests. */
export const requestTypes = Object.keys(payloads);

/**
 * Returns a frame as formatted JSON.
 *
 * @param {string} type
 * @param {TemplateContext} context
 */
export function templateOf(type, context) {
  return JSON.stringify({ id: uniqueId(), type, payload: payloads[type]?.(context) ?? {} }, null, 2);
}

let last = 0;

/** Returns an id that is unique on this connection. */
function uniqueId() {
  return `raw-${Date.now().toString(36)}-${++last}`;
}

/** The frames that answer a request, other than `ack` and those with `ack_id`. @type {Record<string, string>} */
const answers = {
  ping: "pong",
  "event.list": "event.list.result",
  "thread.list": "thread.list.result",
  "thread.subscribe": "thread.snapshot",
  "settings.subscribe": "settings.snapshot",
  feedback: "feedback.ack",
};

/**
 * Whether a received frame answers a sent one. `ack` names the request. Other answers are recognized by their type and
 * thread. An `ack` without an id answers a frame whose id could not be read.
 *
 * @param {import("../../state/frames.js").LogEntry} sent
 * @param {import("../../state/frames.js").LogEntry} received
 */
export function isAnswer(sent, received) {
  if (received.direction !== "in" || received.index <= sent.index) return false;
  if (received.answers !== null) return received.answers === (sent.frameId ?? "");
  if (received.type !== answers[sent.type]) return false;
  return sent.threadId === null || received.threadId === null || sent.threadId === received.threadId;
}
