/** The panels of the playground: settings, inspector and analytics. */

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { startChromium } from "./chromium.js";
import { stopAfterwards } from "./cleanup.js";
import { assertNoProblems, converse, keepScreenshot, openPanel, openPlayground, wide } from "./playground.js";
import { startServer } from "./server.js";

let browser, settings, analytics;

before(async () => {
  const inMemory = { WORKER_DATABASE_TYPE: "memory" };
  settings = await startServer("example-settings", { ...inMemory, RUST_LOG: "error" });
  analytics = await startServer("example-analytics", inMemory);
  browser = await startChromium();
}, { timeout: 30_000 });

stopAfterwards(() => browser, () => [settings, analytics]);

const limit = { timeout: 60_000 };

/** Opens the page of a server with a panel. */
async function open(t, server, panel) {
  const context = await browser.newContext({ viewport: wide });
  t.after(() => context.close());
  const page = await openPlayground(context, server.host, { others: ["example.org"] });
  await openPanel(page, panel);
  return page;
}

test("refused setting shows the sentence of the server", limit, async (t) => {
  const page = await open(t, settings, "Settings");
  const field = page.locator(".setting", { has: page.getByLabel("Contact") });
  const input = field.getByLabel("Contact");
  await input.fill("nobody");
  await input.press("Enter");
  const problem = field.locator(".notice.error p");
  await problem.waitFor();
  assert.match(await problem.textContent(), /^contact cannot be .*nobody/);
  assert.equal(await input.getAttribute("aria-invalid"), "true");
  assert.equal(await input.inputValue(), "nobody");
  await keepScreenshot(page, "settings-refused");
  // The value of the server is still the old one, and the change can be discarded.
  await field.getByRole("button", { name: "Discard the change" }).click();
  assert.equal(await input.inputValue(), "help@example.org");
  assert.equal(await input.evaluate((element) => document.activeElement === element), true);
  // A rule of the program, at a field of a closed group that only creators see.
  await page.getByRole("button", { name: "Creator" }).click();
  await page.locator("summary", { hasText: "Limits" }).click();
  const budget = page.getByLabel("Daily budget", { exact: true });
  await budget.fill("20000");
  await budget.press("Tab");
  await page.getByText("a day may cost 10000 cents; ask for more").waitFor();
  await keepScreenshot(page, "settings-creator");
  assertNoProblems(page);
});

test("inspector filters, shows and sends frames", limit, async (t) => {
  const page = await open(t, settings, "Inspector");
  await converse(page, "for the log");
  const frames = page.getByRole("listbox", { name: "Frames" }).getByRole("option");
  const types = () => page.locator(".frame-type").allTextContents().then((all) => all.map((text) => text.trim()));
  await page.getByLabel("Direction").selectOption("out");
  await page.getByLabel("Search in frames").fill("for the log");
  await page.waitForFunction(() => document.querySelectorAll(".frame-type").length === 1);
  assert.deepEqual(await types(), ["event.create"]);
  await frames.first().click();
  const details = page.getByRole("region", { name: "Frame" });
  await details.waitFor();
  const shown = JSON.parse(await details.evaluate((element) =>
    [...element.querySelectorAll(".line")].map(({ textContent }) => textContent).join("\n")));
  assert.equal(shown.payload.event.content[0].text, "for the log");
  await keepScreenshot(page, "inspector-details");
  await page.keyboard.press("Escape");
  await page.getByLabel("Search in frames").fill("");
  await page.getByLabel("Direction").selectOption("");
  await page.getByLabel("Type").selectOption("run.upsert");
  await page.waitForFunction(() => [...document.querySelectorAll(".frame-type")].every(({ textContent }) => /run\.upsert/.test(textContent)));
  assert.ok((await frames.count()) >= 1);
  await page.getByLabel("Type").selectOption("");
  const threads = page.getByLabel("Thread");
  await threads.selectOption({ label: "This thread" });
  await page.waitForFunction(() => ![...document.querySelectorAll(".frame-type")].some(({ textContent }) => /connect/.test(textContent)));
  await threads.selectOption("");
  await page.getByLabel("Search in frames").fill("no frame has this");
  await page.getByText("No frame matches the filter.").waitFor();
  await page.getByLabel("Search in frames").fill("");

  await page.getByRole("button", { name: "Send a frame" }).click();
  const frame = page.getByLabel("Frame", { exact: true });
  await frame.fill('{ "id": "mine-1", "type": "thread.list", "payload": {"limit": 1,} }');
  await page.getByRole("button", { name: "Send", exact: true }).last().click();
  await page.getByText(/^Line 1, column \d+/).waitFor();
  await frame.fill('{ "id": "mine-1", "type": "thread.list", "payload": {"limit": 1} }');
  await frame.press("Control+Enter");
  const answer = page.getByRole("region", { name: "Answer" });
  await answer.getByText("thread.list.result").waitFor();
  await keepScreenshot(page, "inspector-sent");
  // A request that the server does not know is refused, and the refusal is the answer.
  await frame.fill('{ "id": "mine-2", "type": "no.such.type", "payload": {} }');
  await frame.press("Control+Enter");
  await answer.getByText("mine-2").waitFor();
  await answer.getByText("INVALID_FRAME").waitFor();
  assertNoProblems(page);
});

test("analytics count runs, tools and feedback", limit, async (t) => {
  const page = await open(t, analytics, "Analytics");
  await page.getByText("Send a message: its events appear here.").waitFor();
  await page.locator(".summary").getByText(/^Since \d\d:\d\d:\d\d, while connected$/).waitFor();
  await converse(page, "order 7");
  await converse(page, "order 8");
  await page.locator(".summary").getByText(/^2 succeeded/).waitFor();
  const count = (name) => page.locator(".name", { has: page.getByText(name, { exact: true }) }).locator(".name-count").textContent();
  assert.equal(await count("order.looked_up"), "2");
  assert.equal(await count("message.c2s"), "2");
  await page.getByRole("button", { name: "Good answer" }).first().click();
  await page.locator(".summary").getByText("1 like, 0 dislikes").waitFor();
  // A name is a filter of the feed.
  await page.locator(".name", { hasText: "order.looked_up" }).click();
  const rows = page.getByRole("listbox", { name: "Events, the newest first" }).getByRole("option");
  await page.waitForFunction(() => document.querySelectorAll(".feed .frame-type").length === 2);
  await rows.first().click();
  await page.getByRole("region", { name: "Event" }).getByText("was_found").waitFor();
  await keepScreenshot(page, "analytics");
  assertNoProblems(page);
});
