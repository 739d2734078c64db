/** The playground in pages of the browser, as a worker serves it. `conversation-page.js` writes messages in such a page. */

import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { target } from "./workspace.js";

/** @typedef {import("playwright-core").Page} Page */

/** A wide window, which shows the list, the conversation and the panel beside each other. */
export const wide = { width: 1280, height: 800 };

/** The window of a small phone. */
export const phone = { width: 380, height: 760 };

/** The image at the addresses of other hosts. */
const image = '<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><rect width="64" height="64" rx="12" fill="#3366ff"/></svg>';

/** Addresses that stay in the page. */
const ofPage = ["blob:", "data:"];

/**
 * Opens the playground, and waits until it is connected.
 *
 * @param {import("playwright-core").BrowserContext} context Its pages share what they store, as tabs do
 * @param {string} host the address of the server, with its port and without a path
 * @param {object} [options]
 * @param {string} [options.path] the path of the page with its hash
 * @param {"connected" | "refused" | null} [options.state] the state of the connection to wait for. `null` waits for the composer
 * @param {string[]} [options.others] other hosts, which have an image at each address
 * @param {boolean} [options.isLossy] whether requests may fail, because the test stops the server or names missing files
 * @param {(frame: any) => void} [options.onSent] receives the frames of the page
 * @param {(socket: import("playwright-core").WebSocketRoute) => void} [options.onSocket] sits between the page and the server
 * @returns {Promise<Page & {problems: string[]}>} a page with everything that no page may do, such as an error, a request to
 *   another host, or something that its policy forbids
 */
export async function openPlayground(context, host, options = {}) {
  const { path = "/", state = "connected", others = [], isLossy = false, onSent, onSocket } = options;
  const page = await context.newPage();
  const problems = (page.problems = []);
  page.on("pageerror", (error) => problems.push(`uncaught ${error.stack}`));
  page.on("crash", () => problems.push("the page crashed"));
  page.on("dialog", (dialog) => {
    problems.push(`dialog ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("console", (message) => {
    // Chromium also reports violations of the policy as errors.
    const isLoss = isLossy && /Failed to load resource|WebSocket connection/.test(message.text());
    if (["error", "warning"].includes(message.type()) && !isLoss) problems.push(message.text());
  });
  const isForeign = (url) => ![host, ...others].includes(url.host) && !ofPage.includes(url.protocol);
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (isForeign(url)) problems.push(`request to ${url}`);
  });
  page.on("websocket", (socket) => {
    if (new URL(socket.url()).host !== host) problems.push(`socket to ${socket.url()}`);
    if (onSent) socket.on("framesent", ({ payload }) => onSent(JSON.parse(payload)));
  });
  // Nothing leaves this machine, whatever the page asks for.
  await page.route(isForeign, (route) => route.abort());
  await page.route(({ host }) => others.includes(host), (route) => route.fulfill({ body: image, contentType: "image/svg+xml" }));
  if (onSocket) await page.routeWebSocket("**", onSocket);
  page.setDefaultTimeout(15_000);
  await page.goto(`http://${host}${path}`);
  if (state === null) await page.locator("#composer").waitFor();
  else await page.locator(`.connection.${state}`).waitFor({ state: "attached" });
  return page;
}

/**
 * Checks that a page did nothing that no page may do.
 *
 * @param {Page & {problems: string[]}} page
 */
export function assertNoProblems(page) {
  assert.deepEqual(page.problems, []);
}

/**
 * Keeps a screenshot for people to look at, in `target/screenshots`.
 *
 * @param {Page} page
 * @param {string} name
 */
export async function keepScreenshot(page, name) {
  const directory = join(target, "screenshots");
  await mkdir(directory, { recursive: true });
  await page.screenshot({ path: join(directory, `${name}.png`), animations: "disabled" });
}

/**
 * Sends a message from the composer, and waits until its turn has ended.
 *
 * @param {Page} page
 * @param {string} text
 */
export async function converse(page, text) {
  const ended = page.locator(".run-line:not(.running)");
  const before = await ended.count();
  await page.locator("#composer").fill(text);
  await page.locator("#composer").press("Enter");
  await ended.nth(before).waitFor();
}

/**
 * The messages of the shown conversation.
 *
 * @param {Page} page
 */
export function messages(page) {
  return page.getByRole("log");
}

/**
 * A row of the list of conversations.
 *
 * @param {Page} page
 * @param {string} name
 */
export function row(page, name) {
  return page.locator(".thread-row", { hasText: name });
}

/**
 * Shows a panel.
 *
 * @param {Page} page
 * @param {"Settings" | "Analytics" | "Inspector"} name
 */
export async function openPanel(page, name) {
  const tab = page.getByRole("tab", { name });
  if (!(await tab.isVisible())) await page.getByRole("button", { name: "Settings, analytics and inspector" }).click();
  await tab.click();
}
