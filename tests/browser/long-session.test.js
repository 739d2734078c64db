/** The playground after a long session: its memory, and many conversations that run at once. */

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { startChromium } from "./chromium.js";
import { stopAfterwards } from "./cleanup.js";
import { assertNoProblems, converse, keepScreenshot, messages, openPanel, openPlayground, wide } from "./playground.js";
import { startServer } from "./server.js";
import { openStub, said, serveFiles } from "./stub.js";

let browser, load, server, files;

before(async () => {
  const variables = { WORKER_DATABASE_TYPE: "memory", RUST_LOG: "off" };
  load = await startServer("example-load", variables);
  server = await startServer("playground-server", variables);
  files = await serveFiles();
  browser = await startChromium();
}, { timeout: 30_000 });

stopAfterwards(() => browser, () => [load, server, files]);

const limit = { timeout: 120_000 };

/** Opens a page, and closes it after the test. */
async function open(t, host, options) {
  const context = await browser.newContext({ viewport: wide, reducedMotion: "reduce" });
  t.after(() => context.close());
  return openPlayground(context, host, options);
}

/** Events of the first half of the session, and again of the second. */
const EVENTS = 10_000;
const BURST = 500;
const SWITCHES = 100;

/**
 * The growth of the memory in the second half that is accepted, and all of the memory, in bytes. A conversation keeps between
 * 1,000 and 2,000 events. Without a limit, the memory grows by 5 MB.
 */
const MOST_GROWTH = 2_500_000;
const MOST_MEMORY = 32_000_000;

/** Sends a message as a raw frame, and waits until its turn has ended. */
function sendRaw(page, threadId, text) {
  return page.evaluate(async ([thread_id, text]) => {
    const { client } = await import("./state/session.js");
    const event = { type: "message", actor: "user", content: [{ type: "text", text }] };
    const id = crypto.randomUUID();
    const ended = new Promise((resolve) => {
      let message;
      const onFrame = ({ detail: { direction, frame } }) => {
        if (direction !== "in") return;
        if (frame.type === "event.append") message ??= frame.payload.events.find(({ client_event_id }) => client_event_id === id)?.id;
        const run = frame.payload?.run;
        if (frame.type !== "run.upsert" || run.event_id !== message || run.status === "running") return;
        client.value.removeEventListener("frame", onFrame);
        resolve();
      };
      client.value.addEventListener("frame", onFrame);
    });
    client.value.sendRaw(JSON.stringify({ id, type: "event.create", payload: { thread_id, client_event_id: id, event } }));
    await ended;
  }, [threadId, text]);
}

/** What the page keeps without the log of frames, which has a limit of its own: the bytes of its memory, its elements, and its nodes, also those that are not in the document. */
async function measure(page, session) {
  const log = await page.evaluate(async () => (await import("./state/frames.js")).frames.entries.length);
  assert.ok(log <= 5_000, `${log} frames`);
  await page.getByRole("button", { name: "Clear" }).click();
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
  for (let time = 0; time < 3; time += 1) await session.send("HeapProfiler.collectGarbage");
  const { usedSize } = await session.send("Runtime.getHeapUsage");
  const { nodes } = await session.send("Memory.getDOMCounters");
  return { bytes: usedSize, elements: await page.evaluate(() => document.querySelectorAll("*").length), nodes };
}

test("memory of a long session is bounded", limit, async (t) => {
  const page = await open(t, load.host);
  const session = await page.context().newCDPSession(page);
  await session.send("HeapProfiler.enable");
  // Both panels are filled: one counts, the other one lists.
  await openPanel(page, "Analytics");
  await openPanel(page, "Inspector");
  const threads = [];
  for (const text of ["one", "two"]) {
    await page.getByRole("button", { name: "New conversation" }).click();
    await converse(page, text);
    threads.push(page.url().split("/").at(-1));
  }
  const half = async () => {
    for (let count = 0; count < SWITCHES; count += 1) {
      await page.evaluate(async ([hash, id]) => {
        const { conversation } = await import("./state/session.js");
        location.hash = hash;
        await new Promise((resolve) => addEventListener("hashchange", resolve, { once: true }));
        const shown = conversation.value;
        if (shown.threadId !== id) throw new Error("another thread is shown");
        while (shown.state !== "open") await new Promise((resolve) => shown.addEventListener("change", resolve, { once: true }));
        // The page draws it.
        await new Promise(requestAnimationFrame);
      }, [`#/load/${threads[count % 2]}`, threads[count % 2]]);
    }
    // The shown conversation receives all of these.
    for (let count = 0; count < EVENTS; count += BURST) await sendRaw(page, threads[1], `burst ${BURST - 1}`);
  };
  await half();
  const before = await measure(page, session);
  await half();
  const after = await measure(page, session);
  t.diagnostic(JSON.stringify({ before, after }));
  await keepScreenshot(page, "long-session");
  assert.ok(after.bytes - before.bytes < MOST_GROWTH, `${after.bytes - before.bytes} bytes more`);
  assert.ok(after.bytes < MOST_MEMORY, `${after.bytes} bytes`);
  assert.ok(after.elements < 6_000, `${after.elements} elements`);
  assert.ok(after.nodes < 20_000, `${after.nodes} nodes`);

  // What was forgotten is loaded again.
  const seqs = () => page.evaluate(async () => (await import("./state/session.js")).conversation.value.events.map(({ seq }) => seq));
  const first = (await seqs())[0];
  assert.ok(first > EVENTS, `${first}`);
  const scroller = page.locator(".scroller");
  await scroller.hover();
  await page.mouse.wheel(0, -1_000);
  await page.getByRole("button", { name: "To the end" }).waitFor();
  await scroller.evaluate((element) => (element.scrollTop = 0));
  await page.waitForFunction(async (first) => (await import("./state/session.js")).conversation.value.events[0].seq < first, first);
  const loaded = await seqs();
  assert.deepEqual(loaded, loaded.map((_, index) => loaded[0] + index));
  assertNoProblems(page);
});

const THREADS = 50;

test("page of 50 running conversations stays calm", limit, async (t) => {
  const page = await open(t, server.host, { path: "/#/writer" });
  await openPanel(page, "Inspector");
  // A connection is subscribed to each thread that it creates, so it receives the pieces of all texts.
  await page.evaluate(async (threads) => {
    const { client } = await import("./state/session.js");
    Object.assign(globalThis, { frames: 0, upserts: 0, renders: 0, moves: 0, ticks: 0, began: performance.now() });
    const rows = document.querySelector(".thread-rows");
    new MutationObserver(() => (renders += 1)).observe(rows, { childList: true, subtree: true, attributes: true, characterData: true });
    let order = [];
    const look = () => {
      ticks += 1;
      const next = [...rows.children].map(({ dataset }) => dataset.id);
      // New rows push others down, but do not exchange them.
      const known = (ids, others) => ids.filter((id) => others.includes(id)).join();
      if (known(order, next) !== known(next, order)) moves += 1;
      order = next;
      requestAnimationFrame(look);
    };
    look();
    client.value.addEventListener("frame", ({ detail: { direction, frame } }) => {
      if (direction === "in") frames += 1;
      if (frame.type === "thread.upsert") upserts += 1;
    });
    for (let thread = 0; thread < threads; thread += 1) {
      const event = { type: "message", actor: "user", content: [{ type: "text", text: "300" }] };
      client.value.sendRaw(JSON.stringify({ id: `raw ${thread}`, type: "event.create", payload: { client_event_id: `c${thread}`, event } }));
    }
  }, THREADS);
  // Meanwhile, a person opens a conversation, writes in another one, and opens a third one.
  await page.waitForFunction((threads) => document.querySelectorAll(".thread-row").length >= 20 && upserts >= threads, THREADS);
  await page.locator(".thread-row a").nth(3).click();
  await page.locator(".markdown.streaming").filter({ hasText: "50" }).waitFor();
  await keepScreenshot(page, "many-conversations");
  await page.getByRole("button", { name: "New conversation" }).click();
  await page.locator("#composer").fill("20");
  await page.locator("#composer").press("Enter");
  await messages(page).getByText(/19 20\s*$/).waitFor();
  await page.locator(".thread-row a").nth(5).click();
  await page.locator(".run-line:not(.running)").waitFor();
  await page.waitForFunction(async () => {
    const { frames } = await import("./state/frames.js");
    const ended = frames.entries.filter(({ type, hint }) => type === "run.upsert" && hint === "succeeded");
    return ended.length >= 50;
  });
  const counts = await page.evaluate(() => ({ frames, upserts, renders, moves, ticks, seconds: (performance.now() - began) / 1000 }));
  t.diagnostic(JSON.stringify(counts));
  assert.ok(counts.frames > THREADS * 20, `${counts.frames} frames`);
  // The list is drawn at most once for each frame of the screen, and its rows change places at most once in a second.
  assert.ok(counts.renders <= counts.ticks, `${counts.renders} drawings in ${counts.ticks} frames of the screen`);
  assert.ok(counts.moves <= counts.seconds + 1, `${counts.moves} changes of the order in ${counts.seconds} s`);
  assert.equal(await page.locator(".thread-row").count() > 0, true);
  assertNoProblems(page);
});

test("order of busy conversations changes once a second", limit, async () => {
  const at = (time) => new Date(Date.UTC(2026, 1, 11) + time).toISOString();
  const thread = (number, time) => ({ id: `T${number}`, title: `Title ${number}`, created_at: at(0), updated_at: at(time), last_event_at: at(time) });
  const listed = Array.from({ length: THREADS }, (_, number) => thread(number, THREADS - number));
  const page = await openStub(browser, files.host, { events: [said(1, "hello")] }, {
    prepare: (page) => page.clock.install(),
    onFrame: ({ id, type }, { send }) => {
      if (type === "thread.list") send("thread.list.result", { threads: listed, cursor: null, total_count: THREADS }, id);
      return type === "thread.list";
    },
  });
  await page.locator(".thread-row").first().waitFor();
  await page.clock.pauseAt((await page.evaluate(() => Date.now())) + 1_000);
  const order = () => page.evaluate(() => [...document.querySelectorAll(".thread-row")].map(({ dataset }) => dataset.id));
  let time = 1_000, before = await order(), moves = 0, last = [];
  const steps = 40;
  for (let step = 0; step < steps; step += 1) {
    // Each conversation has a new event, in another order each time.
    last = Array.from({ length: THREADS }, (_, index) => (index * 7 + step * 3) % THREADS);
    for (const number of last) page.send("thread.upsert", { thread: thread(number, (time += 1)) });
    await page.waitForFunction(async (key) => {
      const { threadList } = await import("./state/threads.js");
      return threadList.value.threads.some(({ last_event_at }) => last_event_at === key);
    }, at(time));
    await page.clock.runFor(100);
    const after = await order();
    if (after.join() !== before.join()) moves += 1;
    before = after;
  }
  assert.ok(moves >= 3 && moves <= steps / 10 + 1, `${moves} changes of the order`);
  await page.clock.runFor(1_100);
  const expected = last.toReversed().map((number) => `T${number}`);
  assert.deepEqual((await order()).slice(0, 10), expected.slice(0, 10));
  assert.deepEqual(page.errors, []);
  await page.context().close();
});
