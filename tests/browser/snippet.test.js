/** The snippet of the README, pasted into the console of a page. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openConsole, startChromium } from "./chromium.js";
import { startServer } from "./server.js";
import { read, snippet } from "./workspace.js";

/** A name that Chromium resolves to this machine, and whose pages are not a secure context. */
const name = "echo.test";

// Ends the tests if a browser or server hangs.
setTimeout(() => process.exit(1), 100_000).unref();

let browser, server, script;

before(async () => {
  script = snippet(await read("README.md"));
  server = await startServer("example-echo", { WORKER_DATABASE_TYPE: "memory", WORKER_ALLOWED_HOSTS: name });
  browser = await startChromium([`--host-resolver-rules=MAP ${name} 127.0.0.1`]);
}, { timeout: 30_000 });

after(async () => {
  try {
    await browser?.close();
  } finally {
    await server?.stop();
  }
}, { timeout: 15_000 });

test("readme and echo example show the same snippet", async () => {
  const source = await read("examples/echo/src/main.rs");
  const comment = source.replaceAll(/^\/\/! ?/gm, "");
  assert.equal(snippet(comment), script);
});

/** Opens the page that the README names, pastes the snippet, and returns the console after the first answer. */
async function paste(host) {
  const page = await browser.newPage();
  await page.goto(`http://${host}/healthz`);
  const console = await openConsole(page);
  await console.run(script);
  await console.printed("assistant: You said: hello");
  return { page, console };
}

/** The ids of all threads of the worker, asked by the snippet's own connection. */
function threads(page) {
  return page.evaluate(() => new Promise((resolve) => {
    socket.addEventListener("message", ({ data }) => {
      const { type, payload } = JSON.parse(data);
      if (type === "thread.list.result") resolve(payload.threads.map(({ id }) => id));
    });
    send("thread.list", {});
  }));
}

test("snippet continues one thread", { timeout: 20_000 }, async () => {
  const { page, console } = await paste(server.host);
  const known = await threads(page);
  await console.run('say("again"); say("and again")');
  await console.printed("assistant: You said: and again");
  const said = console.lines.filter((line) => line.startsWith("user: "));
  assert.deepEqual(said, ["user: hello", "user: again", "user: and again"]);
  assert.deepEqual(await threads(page), known);
});

test("messages before the connection is open wait for it", { timeout: 20_000 }, async () => {
  const { page } = await paste(server.host);
  const known = await threads(page);
  const console = await openConsole(page);
  await console.run(`${script}; say("again")`);
  await console.printed("assistant: You said: again");
  assert.equal((await threads(page)).length, known.length + 1);
});

test("snippet announces deltas", { timeout: 20_000 }, async () => {
  const page = await browser.newPage();
  const frames = new Promise((resolve) => {
    page.on("websocket", (socket) => socket.on("framesent", ({ payload }) => resolve(JSON.parse(payload))));
  });
  await page.goto(`http://${server.host}/healthz`);
  const console = await openConsole(page);
  await console.run(script);
  const { type, payload } = await frames;
  assert.equal(type, "connect");
  assert.deepEqual(payload.capabilities, ["event.delta"]);
});

test("snippet works outside of a secure context", { timeout: 20_000 }, async () => {
  const { page } = await paste(server.host.replace("127.0.0.1", name));
  assert.equal(await page.evaluate(() => isSecureContext), false);
});

test("snippet pasted again starts a new thread", { timeout: 20_000 }, async () => {
  const { page, console } = await paste(server.host);
  const known = await threads(page);
  console.lines.length = 0;
  await console.run(script);
  await console.printed("assistant: You said: hello");
  // The first connection is closed, so each line occurs once.
  assert.equal(console.lines.filter((line) => line === "assistant: You said: hello").length, 1);
  assert.equal((await threads(page)).length, known.length + 1);
});
