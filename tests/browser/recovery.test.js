/** The playground while its server dies and returns, and while the page itself stands still. */

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { startChromium } from "./chromium.js";
import { answered, answers, closePlayground, numbers, openConversation, say, settled } from "./conversation-page.js";
import { keepScreenshot as screenshot } from "./playground.js";
import { startServer } from "./server.js";

// Ends the tests if a browser or server hangs.
setTimeout(() => process.exit(1), 200_000).unref();

let browser, server, directory;

/** Starts the server on its file, at the address of the one before. */
async function start() {
  const variables = { WORKER_DATABASE_TYPE: "sqlite", WORKER_DATABASE_NAME: join(directory, "worker.db"), RUST_LOG: "off" };
  server = await startServer("playground-server", server ? { ...variables, WORKER_BIND: server.host } : variables);
}

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "dooers-playground-"));
  await start();
  browser = await startChromium();
}, { timeout: 30_000 });

after(async () => {
  try {
    await browser?.close();
  } finally {
    await server?.stop();
    if (directory) await rm(directory, { recursive: true });
  }
}, { timeout: 15_000 });

const limit = { timeout: 60_000 };

/** The texts that the user has sent. */
const questions = (page) => page.locator(".row-message .plain-text, .row-outgoing .plain-text").allTextContents();

test("conversation outlives the server", limit, async () => {
  // While a text is set here, the page does not learn that the server has stored the message with this text.
  let hidden = null;
  let isStored = () => {};
  const page = await openConversation(browser, server.host, "writer", {}, (socket) => {
    const upstream = socket.connectToServer();
    upstream.onMessage((text) => {
      if (hidden === null) return socket.send(text);
      const { type, payload } = JSON.parse(text);
      const events = type === "event.append" ? payload.events : [];
      if (events.some(({ content }) => content[0]?.text === hidden)) isStored();
    });
  });
  await say(page, "go on");
  await page.locator(".markdown.streaming").filter({ hasText: "10" }).waitFor();
  await server.kill();
  await say(page, "3");
  await page.locator(".row-outgoing").filter({ hasText: "Sending" }).waitFor();
  await screenshot(page, "server-gone");
  await start();
  await answered(page, "1 2 3");
  await settled(page);
  const interrupted = await answers(page).first().textContent();
  assert.ok(numbers(10_000).startsWith(interrupted.trim()), interrupted);
  assert.deepEqual(await questions(page), ["go on", "3"]);
  await screenshot(page, "server-returned");

  const stored = new Promise((resolve) => (isStored = resolve));
  hidden = "4";
  await say(page, "4");
  await stored;
  await server.kill();
  hidden = null;
  await say(page, "5");
  await page.locator(".row-outgoing").nth(1).waitFor();
  await start();
  await answered(page, "1 2 3 4 5");
  await settled(page);
  assert.deepEqual(await questions(page), ["go on", "3", "4", "5"]);
  await page.reload();
  await answered(page, "1 2 3 4 5");
  assert.deepEqual(await questions(page), ["go on", "3", "4", "5"]);
  await closePlayground(page);
});

test("page that stands still for a long stream shows all of it", limit, async () => {
  const page = await openConversation(browser, server.host, "parrot");
  await say(page, "hello");
  await settled(page);
  const path = page.url().split("#/")[1];
  const other = await openConversation(browser, server.host, path);
  const session = await page.context().newCDPSession(page);
  await session.send("Debugger.enable");
  const paused = new Promise((resolve) => session.once("Debugger.paused", resolve));
  await session.send("Debugger.pause");
  await say(other, "count 2000");
  await paused;
  await answered(other, numbers(2000));
  await settled(other);
  await session.send("Debugger.resume");
  await answered(page, numbers(2000));
  await settled(page);

  // A slow page, which reads while the text arrives.
  await session.send("Debugger.disable");
  await session.send("Emulation.setCPUThrottlingRate", { rate: 6 });
  await say(page, "count 2001");
  await answered(page, numbers(2001));
  await session.send("Emulation.setCPUThrottlingRate", { rate: 1 });
  await settled(page);
  assert.equal(await answers(page).count(), 3);
  await screenshot(page, "slow-reader");
  await closePlayground(other);
  await closePlayground(page);
});
