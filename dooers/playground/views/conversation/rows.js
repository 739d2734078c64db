/** The rows of a conversation: events, runs and waiting messages in the order in which they are shown. */

import { day } from "./format.js";
import { formStates } from "./forms.js";
import { plain } from "../../plain.js";
import { pairApprovals, pairTools } from "./tools.js";

/** @typedef {import("../../client.js").ThreadEvent} ThreadEvent */
/** @typedef {import("../../client.js").Run} Run */
/** @typedef {import("../../client.js").OutgoingMessage} OutgoingMessage */

/**
 * @typedef {object} Row
 * @property {string} key
 * @property {"day" | "message" | "reasoning" | "tool" | "form" | "answer" | "removed" | "notice" | "unknown" | "run"
 *   | "outgoing"} kind
 * @property {string} [day]
 * @property {ThreadEvent} [event]
 * @property {ThreadEvent} [result] the result of a tool call
 * @property {ThreadEvent} [approval] the form that asks for the approval of a tool call
 * @property {string} [endedAt] when the event after a reasoning began
 * @property {Run} [run]
 * @property {boolean} [isExplained] whether a notice before the row shows the error
 * @property {import("./forms.js").FormState} [form] the state of the form, of the approval, or of the form that was answered
 * @property {OutgoingMessage} [outgoing]
 * @property {boolean} isFirst whether the row begins a group and names its author
 * @property {unknown[]} stamp the row is drawn again when one of these changes
 */

/** Messages of one sender after this time begin a new group. */
const PAUSE = 5 * 60_000;

const TOOLS = ["tool.call", "tool.result", "tool.transaction"];

/**
 * @param {import("../../client.js").Conversation} conversation
 * @returns {Row[]}
 */
export function rowsOf({ events, runs, queued, outbox, feedback }) {
  const list = events ?? [];
  /** @type {Map<string, Run>} */
  const runOf = new Map();
  for (const run of runs?.values() ?? []) if (run.event_id) runOf.set(run.event_id, run);
  const { resultOf, paired } = pairTools(list);
  const { approvalOf, placed } = pairApprovals(list);
  const forms = formStates(list, runOf, outbox ?? [], runs ?? new Map());
  const { ordered, lastOf } = order(list, runs ?? new Map(), runOf, new Set(queued?.map(({ id }) => id)));

  /** @type {Row[]} */
  const rows = [];
  const shownForms = new Set(list.filter(({ type }) => type === "form").map(({ id }) => id));
  let sender = "";
  let at = 0;
  let shownDay = "";
  ordered.forEach((event, position) => {
    if (!paired.has(event.id) && !placed.has(event.id)) {
      const time = (typeof event.created_at === "string" && Date.parse(event.created_at)) || at;
      const today = new Date(time).toDateString();
      if (today !== shownDay && time > 0) {
        rows.push({ key: `day ${event.id}`, kind: "day", day: day(time), isFirst: true, stamp: [today] });
        shownDay = today;
        sender = "";
      }
      const from = senderOf(event);
      const row = rowOf(event, from !== sender || time - at > PAUSE);
      if (row.kind === "tool") {
        row.result = resultOf.get(event.id);
        row.approval = approvalOf.get(event.id);
      }
      if (row.kind === "reasoning") row.endedAt = endOf(event, ordered[position + 1], runs);
      row.form = forms.get(formOf(row) ?? "");
      const run = row.kind === "tool" && event.run_id ? runs?.get(event.run_id)?.status : undefined;
      row.stamp = [event, textLength(event), event.streaming, row.isFirst, feedback?.get(event.id), row.result, row.approval, row.endedAt,
        run, row.form?.asked, row.form?.answer, row.form?.phase, row.form?.run?.status, row.form?.outgoing, row.form?.outgoing?.status];
      rows.push(row);
      sender = row.kind === "notice" ? "" : from;
      at = time;
    }
    for (const run of lastOf.get(event.id) ?? []) {
      const isExplained = rows.at(-1)?.kind === "notice";
      rows.push({ key: `run ${run.id}`, kind: "run", run, isExplained, isFirst: false, stamp: [run, isExplained] });
    }
  });
  for (const outgoing of outbox ?? []) {
    // The form shows it, if the form is loaded.
    const form = outgoing.event.type === "form.response" && outgoing.event.data?.form_event_id;
    if (form && shownForms.has(form) && forms.get(form)?.outgoing === outgoing) continue;
    rows.push({
      key: `outgoing ${outgoing.client_event_id}`,
      kind: "outgoing",
      outgoing,
      isFirst: true,
      stamp: [outgoing, outgoing.status, outgoing.error],
    });
  }
  return rows;
}

/**
 * Brings the events into the order of reading. A message that waited for the end of a turn comes after that turn, not in
 * the middle of it. Messages that still wait are left out: the queue shows them.
 *
 * @param {ThreadEvent[]} events
 * @param {Map<string, Run>} runs
 * @param {Map<string, Run>} runOf
 * @param {Set<string>} queued
 */
function order(events, runs, runOf, queued) {
  /** @type {Map<string, number>} the position of the last event of a run */
  const ends = new Map();
  events.forEach((event, position) => {
    const run = event.run_id ?? runOf.get(event.id)?.id;
    if (run) ends.set(run, position);
  });
  /** @type {Map<number, ThreadEvent[]>} */
  const delayed = new Map();
  /** @type {ThreadEvent[]} */
  const ordered = [];
  /** @type {Run[]} */
  let before = [];
  events.forEach((event, position) => {
    if (queued.has(event.id)) return;
    const run = runOf.get(event.id);
    const goesOn = (/** @type {Run} */ { id }) => (ends.get(id) ?? -1) > position;
    const ahead = run && before.filter((other) => other.id !== run.id && goesOn(other) && !isConcurrent(run, other));
    if (ahead?.length) {
      const end = Math.max(...ahead.map(({ id }) => ends.get(id) ?? -1));
      delayed.set(end, [...(delayed.get(end) ?? []), event]);
    } else {
      ordered.push(event);
    }
    const own = runs.get(event.run_id ?? run?.id ?? "");
    before = before.filter(goesOn);
    if (own && !before.includes(own)) before.push(own);
    ordered.push(...(delayed.get(position) ?? []));
  });

  /** @type {Map<string, ThreadEvent>} */
  const lastEvent = new Map();
  for (const event of ordered) {
    const run = event.run_id ?? runOf.get(event.id)?.id;
    if (run) lastEvent.set(run, event);
  }
  /** @type {Map<string, Run[]>} the runs whose line follows an event */
  const lastOf = new Map();
  for (const run of runs.values()) {
    const event = lastEvent.get(run.id) ?? (run.status === "running" ? ordered.at(-1) : undefined);
    if (event) lastOf.set(event.id, [...(lastOf.get(event.id) ?? []), run]);
  }
  return { ordered, lastOf };
}

/**
 * Whether a run began during another one. A message that was withdrawn has a run without a duration.
 *
 * @param {Run} run
 * @param {Run} other
 */
function isConcurrent(run, other) {
  if (run.status === "canceled" && run.started_at === run.ended_at) return false;
  return !other.ended_at || other.ended_at > (run.started_at ?? "");
}

/**
 * @param {ThreadEvent} event
 * @param {boolean} isFirst
 * @returns {Row}
 */
function rowOf(event, isFirst) {
  return { key: event.id, kind: kindOf(event), event, isFirst, stamp: [] };
}

/**
 * @param {ThreadEvent} event
 * @returns {Row["kind"]}
 */
function kindOf({ type, actor, data, deleted, content }) {
  if (deleted) return "removed";
  if (type === "message") return actor === "system" ? "notice" : "message";
  if (type === "reasoning") return "reasoning";
  if (TOOLS.includes(type)) return "tool";
  if (type === "form" && Array.isArray(data?.elements)) return "form";
  if (type === "form.response") return "answer";
  return content?.length && !data ? "message" : "unknown";
}

/** The id of the form whose state a row shows. @param {Row} row */
function formOf({ kind, event, approval }) {
  if (kind === "form") return event?.id;
  return kind === "answer" ? event?.data?.form_event_id : approval?.id;
}

/**
 * The end of a reasoning: the beginning of the next event of its run, or the end of the run.
 *
 * @param {ThreadEvent} event
 * @param {ThreadEvent | undefined} next
 * @param {Map<string, Run> | undefined} runs
 */
function endOf({ run_id }, next, runs) {
  if (!run_id) return undefined;
  return (next?.run_id === run_id ? next.created_at : runs?.get(run_id)?.ended_at) ?? undefined;
}

/** @param {ThreadEvent} event */
function senderOf({ actor, user, author }) {
  return actor === "user" ? `user ${plain(user?.user_id ?? author)}` : actor === "tool" ? "assistant" : actor;
}

/** @param {ThreadEvent} event */
function textLength({ content }) {
  let length = 0;
  for (const part of Array.isArray(content) ? content : []) length += /** @type {{text?: string}} */ (part)?.text?.length ?? 0;
  return length;
}
