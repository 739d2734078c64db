/** The conversation of the playground, against agents that answer with everything that it shows. */

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { before, test } from "node:test";
import { startChromium } from "./chromium.js";
import { stopAfterwards } from "./cleanup.js";
import { answered, answers, closePlayground, numbers, openConversation, say, settled } from "./conversation-page.js";
import { keepScreenshot as screenshot } from "./playground.js";
import { startServer } from "./server.js";

let browser, server;

before(async () => {
  // The form has a password, which the server seals until the agent reads it.
  const secret = randomBytes(32).toString("base64");
  const variables = { WORKER_DATABASE_TYPE: "memory", RUST_LOG: "off", WORKER_SECRET_KEY: secret };
  server = await startServer("playground-server", variables);
  browser = await startChromium();
}, { timeout: 30_000 });

stopAfterwards(() => browser, () => [server]);

const limit = { timeout: 20_000 };
const open = (path, options, onSocket) => openConversation(browser, server.host, path, options, onSocket);

test("message is sent and answered", limit, async () => {
  const page = await open("parrot");
  await say(page, "Hello **there**");
  await answered(page, "Hello there");
  await settled(page);
  assert.equal(await page.locator(".row-message .plain-text").textContent(), "Hello **there**");
  assert.equal(await page.locator("#composer").inputValue(), "");
  assert.match(page.url(), /#\/parrot\/.+/);
  await screenshot(page, "send");
  await page.emulateMedia({ colorScheme: "dark" });
  await screenshot(page, "send-dark");
  await closePlayground(page);
});

test("streamed text grows without a repeated character", limit, async () => {
  const page = await open("writer");
  await page.evaluate(() => {
    globalThis.shown = [];
    new MutationObserver(() => {
      const text = document.querySelector(".row-message .markdown")?.textContent.trim();
      if (text !== undefined && text !== shown.at(-1)) shown.push(text);
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
  });
  await say(page, "go on");
  await page.waitForFunction(() => shown.length > 5);
  await screenshot(page, "stream");
  await page.locator(".composer").getByRole("button", { name: "Stop" }).click();
  await settled(page, "Canceled after");
  const all = numbers(100_000);
  const shown = await page.evaluate(() => globalThis.shown);
  assert.deepEqual(shown.filter((text) => !all.startsWith(text)), []);
  await closePlayground(page);
});

test("stop button cancels the turn", limit, async () => {
  const page = await open("writer");
  await say(page, "go on");
  await page.locator(".markdown.streaming").filter({ hasText: "5" }).waitFor();
  await page.locator(".composer").getByRole("button", { name: "Stop" }).click();
  await settled(page, "Canceled after");
  const text = (await answers(page).textContent()).trim();
  assert.ok(numbers(10_000).startsWith(text), text);
  assert.equal(await page.getByRole("button", { name: "Stop", exact: true }).count(), 0);
  await screenshot(page, "cancel");
  await closePlayground(page);
});

test("page that is reloaded in a stream continues it", limit, async () => {
  const page = await open("writer");
  await say(page, "go on");
  await page.locator(".markdown.streaming").filter({ hasText: "20" }).waitFor();
  const before = (await answers(page).textContent()).trim();
  await page.reload();
  // More arrives live than the snapshot has.
  const longer = (text) => page.waitForFunction((length) => {
    const shown = document.querySelector(".markdown.streaming")?.textContent.trim();
    return shown?.length > length && shown;
  }, text.length);
  const snapshot = await longer(before);
  await longer(await snapshot.jsonValue());
  await screenshot(page, "reload");
  await page.locator(".composer").getByRole("button", { name: "Stop" }).click();
  await settled(page, "Canceled after");
  const text = (await answers(page).textContent()).trim();
  assert.ok(numbers(100_000).startsWith(text), text);
  await closePlayground(page);
});

test("refused message is sent again by a retry", limit, async () => {
  const sent = [];
  const page = await open("parrot", {}, (socket) => {
    const upstream = socket.connectToServer();
    socket.onMessage((text) => {
      const { id, type, payload } = JSON.parse(text);
      if (type === "event.create") sent.push(payload.client_event_id);
      if (type !== "event.create" || sent.length > 1) return upstream.send(text);
      const error = { code: "VALIDATION_ERROR", message: "Please <b>wait</b> for the moon." };
      socket.send(JSON.stringify({ id: "0", type: "ack", payload: { ack_id: id, ok: false, error } }));
    });
  });
  await say(page, "hello");
  await page.getByText("Please <b>wait</b> for the moon.").waitFor();
  await screenshot(page, "failed");
  await page.getByRole("button", { name: "Retry" }).click();
  await answered(page, "hello");
  await settled(page);
  assert.equal(sent.length, 2);
  assert.equal(sent[0], sent[1]);
  assert.equal(await page.locator(".row-message .plain-text").count(), 1);
  await closePlayground(page);
});

test("waiting message is withdrawn", limit, async () => {
  const page = await open("writer");
  await say(page, "go on");
  await page.locator(".markdown.streaming").waitFor();
  await say(page, "7");
  await say(page, "8");
  const waiting = page.getByRole("region", { name: "Waiting messages" }).getByRole("listitem");
  await waiting.nth(1).waitFor();
  await screenshot(page, "queue");
  await waiting.filter({ hasText: "7" }).getByRole("button", { name: "Withdraw" }).click();
  await waiting.filter({ hasText: "7" }).waitFor({ state: "detached" });
  await page.locator(".composer").getByRole("button", { name: "Stop" }).click();
  await answered(page, numbers(8));
  await settled(page);
  assert.equal(await answers(page).count(), 2);
  assert.equal(await page.locator(".run-line").filter({ hasText: "Withdrawn" }).count(), 1);
  await screenshot(page, "withdrawn");
  await closePlayground(page);
});

test("withdrawn message does not wait after a reload", limit, async () => {
  const page = await open("writer");
  await say(page, "go on");
  await page.locator(".markdown.streaming").waitFor();
  await say(page, "7");
  await say(page, "8");
  const waiting = page.getByRole("region", { name: "Waiting messages" }).getByRole("listitem");
  await waiting.nth(1).waitFor();
  await waiting.filter({ hasText: "7" }).getByRole("button", { name: "Withdraw" }).click();
  await waiting.filter({ hasText: "7" }).waitFor({ state: "detached" });
  await page.reload();
  await page.locator(".markdown.streaming").waitFor();
  await waiting.first().waitFor();
  assert.deepEqual(await waiting.locator(".text").allTextContents(), ["8"]);
  assert.equal(await page.locator(".run-line").filter({ hasText: "Withdrawn" }).count(), 1);
  await screenshot(page, "withdrawn-reloaded");
  await page.locator(".composer").getByRole("button", { name: "Stop" }).click();
  await answered(page, numbers(8));
  await settled(page);
  await closePlayground(page);
});

/** Sends messages to an agent of the page's server, each after the turn before it. Returns the id of their thread. */
async function converse({ agent, count }) {
  const socket = new WebSocket(`ws://${location.host}/agents/${agent}/ws`);
  const first = (condition) => new Promise((resolve) => {
    socket.addEventListener("message", function look({ data }) {
      const frame = JSON.parse(data);
      if (!condition(frame)) return;
      socket.removeEventListener("message", look);
      resolve(frame.payload);
    });
  });
  const send = (type, payload) => socket.send(JSON.stringify({ id: type, type, payload }));
  await new Promise((resolve) => (socket.onopen = resolve));
  const identity = { worker_id: "playground", organization_id: "local", workspace_id: "local", user: { user_id: "me" } };
  send("connect", identity);
  let thread_id = null;
  for (let number = 1; number <= count; number += 1) {
    const ended = first(({ type, payload }) => type === "run.upsert" && payload.run.status !== "running");
    const content = [{ type: "text", text: `Message ${number}` }];
    send("event.create", { thread_id, event: { type: "message", actor: "user", content } });
    thread_id = (await ended).run.thread_id;
  }
  socket.close();
  return thread_id;
}

test("turns of older pages show their run line", limit, async () => {
  const page = await open("worker");
  // Each turn has eight events.
  const thread = await page.evaluate(converse, { agent: "worker", count: 20 });
  await page.evaluate((thread) => (location.hash = `#/worker/${thread}`), thread);
  await page.getByText("Message 20", { exact: true }).waitFor();
  await page.waitForFunction(() => {
    document.querySelector(".scroller").scrollTop = 0;
    return document.querySelector(".row .plain-text")?.textContent === "Message 1";
  });
  const first = await page.evaluate(() => {
    const rows = [...document.querySelectorAll(".messages .row")];
    const next = rows.findIndex((row) => row.querySelector(".plain-text")?.textContent === "Message 2");
    return rows.slice(0, next).map((row) => row.querySelector(".run-line")?.innerText).find(Boolean);
  });
  assert.match(first ?? "none", /^\d[^]*2,400 tokens in \(2,000 cached\)/);
  await screenshot(page, "older-runs");
  await closePlayground(page);
});

test("form is refused, fails, and is answered", limit, async () => {
  let refusals = 0;
  const page = await open("clerk", {}, (socket) => {
    const upstream = socket.connectToServer();
    socket.onMessage((text) => {
      const { id, type, payload } = JSON.parse(text);
      if (type !== "event.create" || payload.event.type !== "form.response" || refusals > 0) return upstream.send(text);
      refusals += 1;
      const error = { code: "VALIDATION_ERROR", message: "The shop is closed." };
      socket.send(JSON.stringify({ id: "0", type: "ack", payload: { ack_id: id, ok: false, error } }));
    });
  });
  await say(page, "hello");
  const form = page.getByRole("group", { name: "Your order?" });
  const name = form.getByLabel("Name");
  await name.waitFor();
  await settled(page);
  const order = form.getByRole("button", { name: "Order" });
  await order.click();
  await form.locator(".error-text").first().waitFor();
  assert.ok(await name.evaluate((element) => element === document.activeElement), "the wrong field has the focus");
  await screenshot(page, "form-incomplete");

  await name.fill("Ada");
  await form.getByLabel("Email").fill("ada@example.org");
  await form.getByLabel("Count").fill("500");
  await form.getByLabel("Day").fill("2030-02-28");
  await form.getByLabel("PIN").fill("1234");
  await form.getByLabel("Note").fill("one\ntwo");
  await form.getByLabel("Size").selectOption("Large");
  await form.getByLabel("Cash").check();
  await form.getByLabel("Ham").check();
  await form.getByLabel("Olives").check();
  assert.ok(await form.getByLabel("Shop").isDisabled());
  await order.click();
  await form.getByText("The shop is closed.").waitFor();
  await screenshot(page, "form-refused");

  await form.getByLabel("PIN").fill("1234");
  await order.click();
  await page.getByRole("note").getByText("At most 100, please.").waitFor();
  await form.getByText("the form is open again").waitFor();
  await screenshot(page, "form-again");

  assert.equal(await form.getByLabel("Note").inputValue(), "one\ntwo");
  await form.getByLabel("PIN").fill("1234");
  await form.getByLabel("Count").fill("3");
  await order.click();
  await answers(page).filter({ hasText: "ada@example.org" }).waitFor();
  await settled(page);
  assert.equal(await order.count(), 0);
  const values = await form.getByRole("definition").allTextContents();
  assert.deepEqual(values.map((value) => value.trim()), ["Ada", "ada@example.org", "3", "2030-02-28", "Filled in", "one\ntwo", "Large",
    "Cash", "Ham, Olives", "Not answered", "Main street"]);
  assert.doesNotMatch(await form.textContent(), /1234/);
  await form.scrollIntoViewIfNeeded();
  await screenshot(page, "form-answered");
  await closePlayground(page);
});

test("form that a turn asks is answered while the turn runs", limit, async () => {
  const page = await open("judge");
  await say(page, "any");
  const form = page.getByRole("group", { name: "May I go on?" });
  await form.getByText("The agent waits for an answer until").waitFor();
  await screenshot(page, "form-asked");
  await form.getByLabel("Reason").fill("It is fun");
  await form.getByRole("button", { name: "Yes" }).click();
  await answered(page, "Because: It is fun");
  await settled(page);
  assert.equal(await form.getByText("The agent waits").count(), 0);
  assert.equal(await form.getByRole("definition").textContent(), "It is fun");
  assert.equal(await page.locator(".queue").count(), 0);

  await say(page, "any");
  const second = form.nth(1);
  await second.getByRole("button", { name: "No" }).click();
  await answered(page, "I stop here.");
  await second.getByText("Canceled.").waitFor();
  await closePlayground(page);
});

test("form that a turn asks is locked for others, and closed", limit, async () => {
  const page = await open("judge");
  await say(page, "somebody-else");
  const form = page.getByRole("group", { name: "May I go on?" });
  await form.getByText("The agent waits for an answer from somebody-else until").waitFor();
  assert.ok(await form.getByLabel("Reason").isDisabled());
  assert.ok(await form.getByRole("button", { name: "Yes" }).isDisabled());
  assert.ok(await form.getByRole("button", { name: "No" }).isDisabled());
  await screenshot(page, "form-of-another-user");
  await page.locator(".composer").getByRole("button", { name: "Stop" }).click();
  await form.getByText("the agent no longer waits").waitFor();
  assert.equal(await form.getByLabel("Reason").count(), 0);
  await screenshot(page, "form-closed");
  await closePlayground(page);
});

test("form that nobody answers in time is closed", limit, async () => {
  const page = await open("judge");
  await say(page, "briefly");
  await answered(page, "I stop here.");
  await settled(page);
  const form = page.getByRole("group", { name: "May I go on?" });
  await form.getByText("the agent no longer waits").waitFor();
  assert.equal(await form.getByRole("button").count(), 0);
  await screenshot(page, "form-expired");
  await page.reload();
  await form.getByText("the agent no longer waits").waitFor();
  await closePlayground(page);
});

/** The text at the right of each card of a tool. */
const states = (page) => page.locator("details.tool > summary .state").allInnerTexts();

test("approval of a call is asked in its card", limit, async () => {
  const page = await open("cashier");
  await say(page, "1001");
  const cards = page.locator("details.tool");
  const form = page.getByRole("group", { name: "Allow the call of the tool refund?" });
  await form.waitFor();
  assert.deepEqual(await form.locator("code").allTextContents(), ["refund", "order"]);
  assert.doesNotMatch(await form.textContent(), /`/);
  // The form of the first call, which comes after both calls, is below the first card.
  const isBelow = (card) => card.evaluate((card) => card.nextElementSibling?.classList.contains("form") ?? false);
  assert.deepEqual([await isBelow(cards.nth(0)), await isBelow(cards.nth(1))], [true, false]);
  assert.deepEqual(await states(page), ["Waiting for approval", "Running…"]);
  await screenshot(page, "approval-asked");
  await form.getByRole("button", { name: "Approve" }).click();

  await page.waitForFunction(() => document.querySelectorAll("details.tool")[1].nextElementSibling);
  await form.getByRole("button", { name: "Refuse" }).click();
  await answered(page, "1 of 2 calls failed");
  await settled(page);
  assert.equal(await page.locator("details.tool + .form").count(), 0);
  const [approved, refused] = await states(page);
  assert.match(approved, /^(<1|\d)/);
  assert.equal(refused, "Refused");
  assert.equal(await page.locator(".tool .failed").count(), 0);
  assert.deepEqual(await page.locator(".row-answer .body").allInnerTexts(), ["Approved", "Refused"]);
  await screenshot(page, "approval-decided");

  await cards.nth(1).locator("> summary").click();
  await cards.nth(1).getByText("a person refused this call").waitFor();
  await cards.nth(1).getByText("Refused by Me").waitFor();
  assert.equal(await cards.nth(1).getByRole("region", { name: "Error" }).count(), 0);
  await screenshot(page, "approval-refused");
  await page.emulateMedia({ colorScheme: "dark" });
  await screenshot(page, "approval-refused-dark");
  await closePlayground(page);
});

test("approved call that fails is an error", limit, async () => {
  const page = await open("cashier");
  await say(page, "0");
  const form = page.getByRole("group", { name: "Allow the call of the tool refund?" });
  await form.getByRole("button", { name: "Approve" }).click();
  await page.locator("details.tool.failed").waitFor();
  await form.getByRole("button", { name: "Approve" }).click();
  await answered(page, "1 of 2 calls failed");
  await settled(page);
  assert.equal((await states(page))[0], "Error");
  await closePlayground(page);
});

test("call that nobody approves in time is not an error", limit, async () => {
  const page = await open("cashier");
  await say(page, "briefly");
  await answered(page, "2 of 2 calls failed");
  await settled(page);
  assert.deepEqual(await states(page), ["Not approved", "Not approved"]);
  const card = page.locator("details.tool").first();
  await card.locator("> summary").click();
  await card.getByText("the agent no longer waits").waitFor();
  await screenshot(page, "approval-expired");
  await closePlayground(page);
});

test("call that waits for approval when the turn is stopped", limit, async () => {
  const page = await open("cashier");
  await say(page, "1001");
  await page.locator("details.tool + .form").waitFor();
  await page.locator(".composer").getByRole("button", { name: "Stop" }).click();
  await settled(page, "Canceled after");
  assert.equal(await page.getByRole("button", { name: "Approve" }).count(), 0);
  assert.equal((await states(page))[0], "Not approved");
  await screenshot(page, "approval-stopped");
  await closePlayground(page);
});

test("tool calls are paired with results, and reasoning is folded", limit, async () => {
  const page = await open("worker");
  await say(page, "How is the weather?");
  await answered(page, "Rome is warmer.");
  await settled(page);
  const cards = page.locator("details.tool");
  const summaries = await cards.locator("> summary").allInnerTexts();
  assert.deepEqual(summaries.map((text) => text.split(/\s+/).slice(0, 3).join(" ")),
    ["Weather town: Oslo", "weather town: Rome", "snow deep: {…}"]);
  await cards.nth(0).locator("> summary").click();
  await cards.nth(0).getByText('"degrees": -4').waitFor();
  await cards.nth(1).locator("> summary").click();
  await cards.nth(1).getByText('"degrees": 31').waitFor();
  assert.match(summaries[2], /Error/);
  const reasoning = page.locator("details.reasoning");
  assert.equal(await reasoning.locator("strong").count(), 0);
  await reasoning.locator("> summary").click();
  assert.equal(await reasoning.locator("strong").textContent(), "want");
  const usage = await page.locator(".run-line").innerText();
  assert.match(usage, /2,400 tokens in \(2,000 cached\) · 68 out · 0\.0033 USD · large-1, small-1/);
  await screenshot(page, "tools");
  await page.emulateMedia({ colorScheme: "dark" });
  await screenshot(page, "tools-dark");
  await closePlayground(page);
});

test("result of 1 MiB is shown in part, and whole on request", limit, async () => {
  const page = await open("archive");
  await say(page, "hello");
  await settled(page);
  const card = page.locator("details.tool");
  await card.locator("> summary").click();
  const result = card.getByRole("region", { name: /^Result/ });
  await result.waitFor();
  assert.ok((await result.textContent()).length < 20_000);
  await screenshot(page, "large-result");
  await card.getByRole("button", { name: /^Show all/ }).click();
  await page.waitForFunction(() => document.querySelector("details.tool").textContent.includes('"line": 16383'));
  await say(page, "again");
  await page.locator("details.tool").nth(1).waitFor();
  await closePlayground(page);
});

test("images, sounds and documents are shown", limit, async () => {
  const page = await open("gallery");
  await say(page, `http://${server.host}/missing.png`);
  const square = page.getByRole("img", { name: "A teal square" });
  await square.waitFor();
  await page.getByText("The image could not be loaded.").waitFor();
  assert.equal(await square.evaluate(({ naturalWidth }) => naturalWidth), 80);
  assert.equal(await page.locator("audio").count(), 1);
  assert.equal(await page.getByRole("link", { name: "a.pdf" }).getAttribute("href"), "https://example.org/a.pdf");
  await settled(page);
  await screenshot(page, "media");
  await closePlayground(page);
});

test("turn that fails shows why", limit, async () => {
  const page = await open("failing");
  await say(page, "Bake!");
  await page.getByRole("note").getByText("The oven is <b>cold</b>.").waitFor();
  await settled(page, "Failed after");
  assert.equal(await page.locator(".messages").getByText("The oven is").count(), 1);
  await screenshot(page, "failed-turn");
  await closePlayground(page);
});

test("feedback survives a reload", limit, async () => {
  const page = await open("parrot");
  await say(page, "hello");
  await settled(page);
  const bad = page.getByRole("button", { name: "Bad answer" });
  await page.getByRole("button", { name: "Good answer" }).click();
  await page.locator('[aria-label="Good answer"][aria-pressed=true]').waitFor();
  await bad.click();
  await page.locator('[aria-label="Bad answer"][aria-pressed=true]').waitFor();
  await screenshot(page, "feedback");
  await page.reload();
  await page.locator('[aria-label="Bad answer"][aria-pressed=true]').waitFor();
  assert.equal(await page.locator('[aria-label="Good answer"]').getAttribute("aria-pressed"), "false");
  await closePlayground(page);
});
