/** Pages of the playground, as a user sees them. */

import assert from "node:assert/strict";
import { resolve } from "node:path";
import { root } from "./workspace.js";

const screenshots = resolve(root, process.env.CARGO_TARGET_DIR ?? "target", "screenshots");

/** The protocols of addresses that stay in the page. */
const local = ["data:", "blob:"];

/**
 * Opens the playground of a server, as a user who visits it for the first time.
 *
 * @param {import("playwright-core").Browser} browser
 * @param {string} host
 * @param {string} path the agent, and the thread if there is one, such as `parrot/T1`
 * @param {object} [options] of the browser's context
 * @param {(socket: import("playwright-core").WebSocketRoute) => void} [onSocket] sits between the page and the server
 */
export async function openPlayground(browser, host, path, options = {}, onSocket) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, reducedMotion: "reduce", ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const problems = [];
  page.problems = problems;
  page.on("pageerror", (error) => problems.push(`uncaught ${error.stack}`));
  page.on("dialog", (dialog) => {
    problems.push(`dialog ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("crash", () => problems.push("the page crashed"));
  page.on("console", (message) => {
    // The browser reports requests without an answer. Some tests stop the server.
    if (message.type() === "error" && !/Failed to load resource|WebSocket connection/.test(message.text())) {
      problems.push(`console ${message.text()}`);
    }
  });
  await page.addInitScript(() => {
    globalThis.violations = [];
    addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI }) => {
      globalThis.violations.push(`${effectiveDirective} ${blockedURI}`);
    });
  });
  page.foreign = [];
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.host !== host && !local.includes(url.protocol)) page.foreign.push(url.href);
  });
  // Nothing leaves this machine, whatever the page asks for.
  await context.route((url) => url.host !== host && !local.includes(url.protocol), (route) => route.abort());
  if (onSocket) await page.routeWebSocket("**", onSocket);
  await page.goto(`http://${host}/#/${path}`);
  await page.locator("#composer").waitFor();
  return page;
}

/** Asserts that the page has reported no error, and shows its conversation. Closes it. */
export async function closePlayground(page, { violations = [] } = {}) {
  assert.deepEqual(page.problems, []);
  assert.deepEqual(await page.evaluate(() => globalThis.violations), violations);
  assert.deepEqual(page.foreign, []);
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
export async function settled(page, state = "\\d") {
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

/** Writes a screenshot of the page into `target/screenshots`. */
export async function screenshot(page, name) {
  await page.screenshot({ path: resolve(screenshots, `${name}.png`) });
}

/** The numbers from 1 to `last`, as the agents of the test server write them. */
export const numbers = (last) => Array.from({ length: last }, (_, index) => index + 1).join(" ");
