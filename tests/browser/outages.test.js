/** The playground after an hour without its server, at a server that closes connections, and at an older server. */

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { startChromium } from "./chromium.js";
import { stopAfterwards } from "./cleanup.js";
import { answered, answers, closePlayground, numbers, openConversation, say, settled } from "./conversation-page.js";
import { keepScreenshot, openPlayground, wide } from "./playground.js";
import { startServer } from "./server.js";
import { event, openStub, said, serveFiles } from "./stub.js";

let browser, server, files;

before(async () => {
  server = await startServer("playground-server", { WORKER_DATABASE_TYPE: "memory", RUST_LOG: "off" });
  files = await serveFiles();
  browser = await startChromium();
}, { timeout: 30_000 });

stopAfterwards(() => browser, () => [server, files]);

const limit = { timeout: 60_000 };

/** The phase of the connection. */
const phase = (page) => page.evaluate(async () => (await import("./state/session.js")).connection.value.phase);

/** Advances the clock of the page in steps, until a condition of the page is true. */
async function advanceUntil(page, condition, step, most) {
  for (let steps = 0; steps < most; steps += 1) {
    if (await condition()) return;
    await page.clock.runFor(step);
  }
  assert.fail("the condition is still false");
}

test("suspended page resumes without a gap", limit, async () => {
  const context = await browser.newContext({ viewport: wide, reducedMotion: "reduce" });
  await context.clock.install();
  // The network drops the connections of a suspended machine without closing them.
  let sockets = 0, forgotten = 0;
  const page = await openPlayground(context, server.host, {
    path: "/#/parrot",
    state: null,
    isLossy: true,
    onSocket: (socket) => {
      sockets += 1;
      const upstream = socket.connectToServer();
      const number = sockets;
      const passes = () => number > forgotten;
      socket.onMessage((text) => passes() && upstream.send(text));
      upstream.onMessage((text) => passes() && socket.send(text));
    },
  });
  await say(page, "hello");
  await settled(page);
  const other = await openConversation(browser, server.host, page.url().split("#/")[1]);
  await answered(other, "hello");

  forgotten = sockets;
  const session = await context.newCDPSession(page);
  await session.send("Page.setWebLifecycleState", { state: "frozen" });
  for (const text of ["count 200", "one", "two"]) {
    await say(other, text);
    await settled(other);
  }
  await session.send("Page.setWebLifecycleState", { state: "active" });
  await page.clock.fastForward("01:00:00");
  // The socket of the page looks open, until a ping has no answer.
  await advanceUntil(page, async () => sockets === 2 && (await phase(page)) === "connected", 1_000, 60);
  await page.clock.resume();
  await answered(page, "two");
  await settled(page);
  assert.equal(sockets, 2);
  const texts = (page) => page.locator(".messages .row-message").locator(".plain-text, .markdown").allTextContents();
  const expected = ["hello", "hello", "count 200", numbers(200), "one", "one", "two", "two"];
  assert.deepEqual((await texts(page)).map((text) => text.trim()), expected);
  const seqs = await page.evaluate(async () => (await import("./state/session.js")).conversation.value.events.map(({ seq }) => seq));
  assert.deepEqual(seqs, seqs.map((_, index) => index + 1));
  await say(page, "again");
  await answered(page, "again");
  await answered(other, "again");
  await closePlayground(other);
  await closePlayground(page);
});

test("page connects to a busy server less and less often", limit, async () => {
  let isBusy = false, connections = 0;
  const page = await openStub(browser, files.host, { events: [said(1, "hello")] }, {
    prepare: (page) => page.clock.install(),
    onFrame: ({ type }, { socket }) => {
      if (type !== "connect") return false;
      connections += 1;
      if (isBusy) void socket.close({ code: 1013, reason: "too many frames were sent for too long" });
      return isBusy;
    },
  });
  assert.equal(connections, 1);
  // From here on, time passes only as the test says.
  await page.clock.pauseAt((await page.evaluate(() => Date.now())) + 1_000);
  isBusy = true;
  void page.socket.close({ code: 1013 });
  const waits = [];
  const minutes = 4;
  let passed = 0;
  while (passed < minutes * 60_000) {
    await page.waitForFunction(async () => (await import("./state/session.js")).connection.value.phase === "waiting");
    const wait = await page.evaluate(async () => Math.ceil((await import("./state/session.js")).connection.value.retryAt - Date.now()));
    waits.push(wait);
    let left = wait;
    if (waits.length === 6) {
      const banner = page.locator(".banner");
      await page.clock.runFor(100);
      await banner.getByText(/^The server closed the connection: too many frames were sent for too long\. The page reconnects in \d+ s\.$/).waitFor();
      await keepScreenshot(page, "server-busy");
      left -= 100;
    }
    const before = connections;
    // Not a moment longer: the next wait may begin before the clock stops.
    await page.clock.runFor(left);
    while (connections === before) await phase(page);
    passed += wait;
  }
  // The wait doubles from half a second up to 15 s. Up to a half of it is left out at random.
  waits.slice(0, 10).forEach((wait, index) => {
    const longest = Math.min(500 * 2 ** index, 15_000);
    assert.ok(wait >= longest / 2 && wait <= longest, `wait ${index} of ${wait} ms`);
  });
  assert.ok(connections <= 7 + (minutes * 60) / 7.5, `${connections} connections`);
  isBusy = false;
  await advanceUntil(page, async () => (await phase(page)) === "connected", 1_000, 60);
  await page.clock.resume();
  await page.locator(".banner").waitFor({ state: "detached" });
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

const old = { name: "dooers", version: "0.0.1" };

for (const [kind, about] of [["nameless", null], ["old", old], ["plain", { ...old, capabilities: [] }]]) {
  test(`${kind} server is used without extensions`, limit, async () => {
    const sent = [];
    const run = (status) => ({ id: "R", thread_id: "T", event_id: "mine", status, started_at: "2026-02-11T10:00:00Z" });
    const titled = (id, title) => ({ id, title, created_at: "2026-02-11T10:00:00Z", updated_at: "2026-02-11T10:00:00Z" });
    const page = await openStub(browser, files.host, { events: [said(1, "hello")] }, {
      about,
      onFrame: ({ id, type, payload }, { send }) => {
        sent.push({ type, payload });
        if (type === "thread.list") send("thread.list.result", { threads: [titled("T", "Apples"), titled("U", "Bees")] }, id);
        if (type === "event.create") {
          const { client_event_id, event: written } = payload;
          send("ack", { ack_id: id, ok: true });
          send("event.append", { thread_id: "T", events: [{ ...event(2), ...written, id: "mine", client_event_id }] });
          send("run.upsert", { run: run("running") });
          send("event.append", { thread_id: "T", events: [said(3, "a", { run_id: "R" })] });
        }
        return ["thread.list", "event.create"].includes(type);
      },
    });
    await page.locator(".connection.connected").waitFor();
    await page.locator("#composer").fill("a message");
    await page.locator("#composer").press("Enter");
    await page.locator(".run-line.running").waitFor();
    await answered(page, "a");
    // Without deltas, the whole text is sent again.
    page.send("event.append", { thread_id: "T", events: [said(3, "a b", { run_id: "R" })] });
    await answered(page, "a b");
    assert.equal(await answers(page).count(), 2);
    // What the server does not offer is not on the page.
    for (const name of [/^Rename/, /^Stop$/]) assert.equal(await page.getByRole("button", { name }).count(), 0, `${name}`);
    await page.locator("#composer").press("Escape");
    await page.locator("#composer").press("Escape");
    await page.locator("#thread-search").fill("bee");
    await page.getByText("Searches the 2 loaded conversations.").waitFor();
    await page.waitForFunction(() => document.querySelectorAll(".thread-row").length === 1);
    await keepScreenshot(page, "older-server");
    page.send("run.upsert", { run: { ...run("succeeded"), ended_at: "2026-02-11T10:00:01Z" } });
    await settled(page);
    assert.deepEqual(sent.filter(({ type, payload }) => ["run.cancel", "thread.update"].includes(type) || payload.query !== undefined), []);
    assert.deepEqual(page.errors, []);
    await page.context().close();
  });
}
