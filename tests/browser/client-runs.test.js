/** The runs that the client of the playground knows, in a page, against a server of an example. */

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { startChromium } from "./chromium.js";
import { stopAfterwards } from "./cleanup.js";
import { accept, openClient } from "./client-page.js";
import { startServer } from "./server.js";

let browser, load;

before(async () => {
  load = await startServer("example-load", { WORKER_DATABASE_TYPE: "memory" });
  // Chromium does not know the address of a page that the test serves, and treats it as one from the internet.
  browser = await startChromium(["--disable-features=LocalNetworkAccessChecks"]);
}, { timeout: 30_000 });

stopAfterwards(() => browser, () => [load]);

/** Opens a page of a server with the client. `onSocket` may sit between them. */
const open = (host, onSocket) => openClient(browser, host, onSocket);

const limit = { timeout: 20_000 };

test("older pages bring the runs of their events", limit, async () => {
  const page = await open(load.host);
  const { opened, loaded, messages } = await page.evaluate(async () => {
    create().start();
    const first = client.open(null);
    for (const [index, text] of ["burst 3", "burst 60", "burst 60"].entries()) {
      first.send(text);
      await until(first, "change", () => first.runs.size === index + 1 && first.running.length === 0);
    }
    const conversation = client.open(first.threadId);
    await until(conversation, "change", () => conversation.state === "open");
    const state = ({ event_id, status, ended_at }) => [event_id, status, ended_at !== null];
    const runs = () => Array.from(conversation.runs.values(), state);
    const opened = runs();
    while (conversation.hasMore) await conversation.loadOlder();
    const messages = conversation.events.filter(({ actor }) => actor === "user").map(({ id }) => id);
    return { opened, loaded: runs(), messages };
  });
  const [, second, third] = messages.map((id) => [id, "succeeded", true]);
  assert.deepEqual(opened, [second, third]);
  assert.deepEqual(loaded, messages.map((id) => [id, "succeeded", true]));
});

test("page does not replace a known run by an older state", limit, async () => {
  const event = (seq, more) => ({ id: `e${seq}`, seq, type: "message", actor: "user", content: [], ...more });
  const run = (id, event_id, status) => ({ id, thread_id: "T", event_id, status, started_at: "2026-02-11T05:49:09Z", ended_at: null });
  const upsert = (known) => ({ type: "run.upsert", payload: { run: known } });
  const snapshot = { thread: { id: "T" }, events: [event(4)], runs: [run("r2", "e2", "running")], has_more: true };
  const older = { thread_id: "T", events: [event(1), event(2), event(3)], cursor: null, has_more: false };
  const page = await open(load.host, (socket) => {
    const send = (frame) => socket.send(JSON.stringify({ id: "0", ...frame }));
    socket.onMessage((text) => {
      const { type } = JSON.parse(text);
      if (type === "thread.subscribe") return send({ type: "thread.snapshot", payload: snapshot });
      if (type !== "event.list") return accept(socket, text);
      // The live frame overtakes the page, which in turn overtakes the beginning of `r3`.
      send(upsert(run("r2", "e2", "succeeded")));
      const runs = [run("r1", "e1", "succeeded"), run("r2", "e2", "running"), run("r3", "e3", "canceled"), null, {}];
      send({ type: "event.list.result", payload: { ...older, runs } });
      send(upsert(run("r3", "e3", "running")));
      send(upsert(run("r4", "e4", "running")));
    });
  });
  const result = await page.evaluate(async () => {
    create().start();
    const conversation = client.open("T");
    await until(conversation, "change", () => conversation.state === "open");
    const before = conversation.queued.map(({ id }) => id);
    await conversation.loadOlder();
    await until(conversation, "change", () => conversation.runs.has("r4"));
    const runs = Array.from(conversation.runs.values(), ({ id, status }) => `${id} ${status}`);
    return { before, runs, queued: conversation.queued.map(({ id }) => id) };
  });
  assert.deepEqual(result, {
    before: ["e4"],
    runs: ["r1 succeeded", "r3 canceled", "r2 succeeded", "r4 running"],
    queued: [],
  });
  assert.deepEqual(page.errors, []);
});

test("withdrawn message does not wait after a reload", limit, async () => {
  const page = await open(load.host);
  const result = await page.evaluate(async () => {
    create().start();
    const conversation = client.open(null);
    for (const text of ["sleep 5000", "second", "third"]) conversation.send(text);
    await until(conversation, "change", () => conversation.running.length === 1 && conversation.queued.length === 2);
    await client.cancel({ event_id: conversation.queued[0].id });
    await until(conversation, "change", () => conversation.queued.length === 1);
    const again = client.open(conversation.threadId);
    await until(again, "change", () => again.state === "open");
    const waiting = again.queued.map(({ content }) => content[0].text);
    const statuses = Array.from(again.runs.values(), ({ status }) => status);
    await client.cancel({ run_id: again.running[0].id });
    await settled(again);
    return { waiting, statuses };
  });
  assert.deepEqual(result, { waiting: ["third"], statuses: ["running", "canceled"] });
});
