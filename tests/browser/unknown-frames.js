/** Messages that a server of another version might send. */

/** An event of the thread `T`. */
const unknown = { id: "E", seq: 3, type: "hologram", actor: "oracle", content: [{ type: "smell" }, null] };

/** The messages, some of which concern the thread `T`. */
export const unknownFrames = [
  "not JSON", "null", "[]", "7", "{}",
  ...[
    { type: "event.append" },
    { type: "event.append", payload: null },
    { type: "event.append", payload: { thread_id: "T", events: null } },
    { type: "event.append", payload: { thread_id: "T", events: [null, 1, {}, { id: "x" }] } },
    { type: "event.append", payload: { thread_id: "T", events: [unknown] } },
    { type: "event.delta", payload: { thread_id: "T", event_id: "E", delta_seq: 0, text: "?" } },
    { type: "event.delta", payload: {} },
    { type: "thread.upsert", payload: {} },
    { type: "thread.upsert", payload: { thread: null } },
    { type: "run.upsert", payload: { run: null } },
    { type: "run.upsert", payload: { run: { id: "R", thread_id: "T", status: "dreaming" } } },
    { type: "ack", payload: { ack_id: null, ok: false, error: null } },
    { type: "thread.snapshot", payload: { thread: { id: "T" }, events: 1, runs: "?", feedback: [null] } },
    { type: "settings.patch", payload: { field_id: 1 } },
    { type: "settings.snapshot", payload: { fields: [null, 1, { id: "f" }, { id: "g", fields: [null] }] } },
    { type: "settings.patch", payload: { field_id: "f", value: { not: "known" } } },
    { type: "analytics.event", payload: {} },
    { type: "quantum.leap", payload: { where: "next" } },
  ].map((frame) => JSON.stringify(frame)),
  Buffer.from("binary"),
];
