/** Conversations in pages of the playground: a page for each, messages, and answers. `playground.js` opens the pages. */

import assert from "node:assert/strict";
import { assertNoProblems, openPlayground, wide } from "./playground.js";

/**
 * Opens the page of a server at a conversation, as a user who visits it for the first time.
 *
 * @param {import("playwright-core").Browser} browser
 * @param {string} host
 * @param {string} path the agent, and the thread if there is one, such as `parrot/T1`
 * @param {object} [options] of the browser's context
 * @param {(socket: import("playwright-core").WebSocketRoute) => void} [onSocket] sits between the page and the server
 */
export async function openConversation(browser, host, path, options = {}, onSocket) {
  const context = await browser.newContext({ viewport: wide, reducedMotion: "reduce", ...options });
  return openPlayground(context, host, { path: `/#/${path}`, state: null, isLossy: true, onSocket });
}

/** Asserts that the page has reported no error, and shows its conversation. Closes it. */
export async function closePlayground(page) {
  assertNoProblems(page);
  assert.ok(await page.locator("#composer").isVisible(), "the page is blank");
  await page.context().close();
}

/** Writes a message and sends it. Returns when the page shows it, or what follows it. */
export async function say(page, text) {
  const shown = () => [[...document.querySelectorAll(".messages .row")].at(-1), document.querySelectorAll(".queue li").length];
  const before = await page.evaluateHandle(shown);
  // The browser takes minutes to type thousands of lines.
  await page.locator("#composer").evaluate((area, text) => {
    area.value = text;
    area.dispatchEvent(new Event("input", { bubbles: true }));
  }, text);
  await page.locator("#composer").press("Enter");
  await page.waitForFunction(([row, waiting]) => [...document.querySelectorAll(".messages .row")].at(-1) !== row
    || document.querySelectorAll(".queue li").length > waiting, before);
}

/** Waits until no turn runs, and the line of the last one begins like this. */
export async function settled(page, state = "(<1|\\d)") {
  await page.waitForFunction((state) => {
    const last = [...document.querySelectorAll(".messages .row")].at(-1)?.querySelector(":scope > .run-line");
    return new RegExp(`^${state}`).test(last?.innerText.trim())
      && !document.querySelector(".run-line.running, .markdown.streaming, .row-outgoing");
  }, state);
}

/** The texts of the agent's messages. */
export const answers = (page) => page.locator(".row-message .markdown");

/** Waits until the last text of the agent is this one. */
export function answered(page, text) {
  return page.waitForFunction((text) => [...document.querySelectorAll(".row-message .markdown")].at(-1)?.textContent.trim() === text, text);
}

/** The numbers from 1 to `last`, as the agents of the test server write them. */
export const numbers = (last) => Array.from({ length: last }, (_, index) => index + 1).join(" ");
