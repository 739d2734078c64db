/** Threads of the client of the playground that are deleted, or that have more events than the client keeps. */

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { startChromium } from "./chromium.js";
import { stopAfterwards } from "./cleanup.js";
import { openClient, upTo } from "./client-page.js";
import { startServer } from "./server.js";

let browser, load;

before(async () => {
  load = await startServer("example-load", { WORKER_DATABASE_TYPE: "memory" });
  // Chromium does not know the address of a page that the test serves, and treats it as one from the internet.
  browser = await startChromium(["--disable-features=LocalNetworkAccessChecks"]);
}, { timeout: 30_000 });

stopAfterwards(() => browser, () => [load]);

const open = (host) => openClient(browser, host);

const limit = { timeout: 20_000 };

test("subscription of a deleted thread ends by itself", limit, async () => {
  const page = await open(load.host);
  const ended = await page.evaluate(async () => {
    create().start();
    const sent = [];
    client.addEventListener("frame", ({ detail: { direction, frame } }) => {
      if (direction === "out" && frame.type === "thread.unsubscribe") sent.push(frame.payload.thread_id);
    });
    const [kept, deleted] = [client.open(null), client.open(null)];
    for (const conversation of [kept, deleted]) {
      conversation.send("hello");
      await settled(conversation);
    }
    await client.deleteThread(deleted.threadId);
    const missing = client.open(deleted.threadId);
    await until(missing, "change", () => missing.state === "missing");
    const states = [kept, deleted, missing].map(({ state }) => state);
    for (const conversation of [deleted, missing, kept]) conversation.close();
    await client.request("ping");
    return { states, sent: sent.map((id) => id === kept.threadId) };
  });
  assert.deepEqual(ended, { states: ["open", "deleted", "missing"], sent: [true] });
});

test("trimmed conversation loads its events again", limit, async () => {
  const page = await open(load.host);
  const { trimmed, loaded, live } = await page.evaluate(async () => {
    create().start();
    const conversation = client.open(null);
    for (const text of ["one", "burst 250"]) conversation.send(text);
    await until(conversation, "change", () => conversation.events.length === 253 && conversation.running.length === 0);
    const look = () => ({ seqs: seqs(conversation), runs: conversation.runs.size, hasMore: conversation.hasMore });
    conversation.trim(300);
    const untouched = look();
    conversation.trim(10);
    const trimmed = [untouched, look()];
    while (conversation.hasMore) await conversation.loadOlder();
    const loaded = look();
    conversation.trim(1);
    conversation.send("the last");
    await until(conversation, "change", () => texts(conversation, "assistant").at(-1) === "You said: the last");
    return { trimmed, loaded, live: seqs(conversation) };
  });
  const [untouched, short] = trimmed;
  assert.deepEqual(untouched, { seqs: upTo(253), runs: 2, hasMore: false });
  assert.deepEqual(short, { seqs: upTo(253).slice(-10), runs: 1, hasMore: true });
  assert.deepEqual([loaded.seqs, loaded.hasMore], [upTo(253), false]);
  assert.deepEqual(live, [253, 254, 255]);
});
