/** A thread with thousands of events in the playground. */

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { startChromium } from "./chromium.js";
import { stopAfterwards } from "./cleanup.js";
import { answered, closePlayground, openConversation } from "./conversation-page.js";
import { keepScreenshot as screenshot } from "./playground.js";
import { startServer } from "./server.js";

const EVENTS = 5_000;

/** The rows that the page keeps at most, with those that come and go. */
const MOST_ROWS = 200;

let browser, server;

before(async () => {
  const variables = { WORKER_DATABASE_TYPE: "memory", RUST_LOG: "off", PLAYGROUND_EVENTS: String(EVENTS) };
  server = await startServer("playground-server", variables);
  browser = await startChromium();
}, { timeout: 30_000 });

stopAfterwards(() => browser, () => [server]);

/** The distance of the list from its end, in pixels. */
const fromEnd = (page) =>
  page.locator(".scroller").evaluate(({ scrollHeight, scrollTop, clientHeight }) => scrollHeight - scrollTop - clientHeight);

test("thread with 5,000 events opens at its end", { timeout: 60_000 }, async (t) => {
  const page = await openConversation(browser, server.host, "parrot");
  // The time of a click in a page that is loaded.
  const opened = await page.evaluate((last) => new Promise((resolve) => {
    const began = performance.now();
    location.hash = "#/parrot/long";
    const look = () => {
      const isShown = [...document.querySelectorAll(".markdown")].at(-1)?.textContent.trim() === last;
      if (isShown) resolve(performance.now() - began);
      else requestAnimationFrame(look);
    };
    look();
  }), `Answer ${EVENTS}`);
  t.diagnostic(`opened after ${Math.round(opened)} ms`);
  assert.ok(opened < 5_000, `opened after ${opened} ms`);
  assert.ok(await fromEnd(page) < 2, "not at the end");
  await screenshot(page, "long-thread");

  // The first row stays where it is while the page before it is loaded.
  const scroller = page.locator(".scroller");
  await scroller.hover();
  await page.mouse.wheel(0, -1_000);
  await page.getByRole("button", { name: "To the end" }).waitFor();
  await scroller.evaluate((element) => (element.scrollTop = 0));
  await page.waitForFunction(() => document.querySelector(".scroller").scrollTop > 0);
  const distance = await page.getByText("Question 4901", { exact: true }).evaluate((element) =>
    element.getBoundingClientRect().top - element.closest(".scroller").getBoundingClientRect().top);
  assert.ok(distance > 0 && distance < 200, `${distance} px`);

  const began = performance.now();
  const most = await page.evaluate((first) => new Promise((resolve) => {
    const scroller = document.querySelector(".scroller");
    let most = 0;
    const look = () => {
      const rows = document.querySelectorAll(".messages .row").length;
      most = Math.max(most, rows);
      const top = document.querySelector(".row-message .plain-text");
      if (top?.textContent === first) return resolve(most);
      scroller.scrollTop = 0;
      requestAnimationFrame(look);
    };
    look();
  }), "Question 1");
  t.diagnostic(`first event after ${Math.round(performance.now() - began)} ms, with at most ${most} rows on the page`);
  assert.ok(most <= MOST_ROWS, `${most} rows`);
  const elements = await page.evaluate(() => document.querySelectorAll("*").length);
  assert.ok(elements < 8_000, `${elements} elements`);
  await screenshot(page, "long-thread-begin");

  await page.getByRole("button", { name: "To the end" }).click();
  await answered(page, `Answer ${EVENTS}`);
  await page.waitForFunction(() => {
    const { scrollHeight, scrollTop, clientHeight } = document.querySelector(".scroller");
    return scrollHeight - scrollTop - clientHeight < 2;
  });
  assert.ok(await page.locator(".messages .row").count() <= MOST_ROWS);
  await closePlayground(page);
});
