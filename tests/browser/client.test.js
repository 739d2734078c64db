/** The client of the playground, in a page, against servers of the examples. */

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { startChromium } from "./chromium.js";
import { startServer } from "./server.js";
import { root } from "./workspace.js";

/** The path below which pages find the files of the playground, and the page itself. */
const served = "/playground-under-test/";

/** A page with the client and what the tests use of it. */
const document = `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><script type="module">
  import { Client } from "./client.js";
  Object.assign(globalThis, {
    create(options = {}, user_id = "ada") {
      const user = { user_id, organization_role: "owner" };
      const identity = { worker_id: "w1", organization_id: "o1", workspace_id: "s1", user };
      const url = \`ws://\${location.host}/ws\`;
      return (globalThis.client = new Client({ url, identity, storage: localStorage, ...options }));
    },
    until(target, type, condition) {
      return new Promise((resolve) => {
        const check = () => {
          if (!condition()) return;
          target.removeEventListener(type, check);
          resolve();
        };
        target.addEventListener(type, check);
        check();
      });
    },
    settled: (conversation) => until(conversation, "change", () =>
      conversation.outbox.length === 0 && conversation.runs.size > 0 && conversation.running.length === 0),
    texts: (conversation, actor) => conversation.events
      .filter((event) => event.actor === actor && event.type === "message")
      .map(({ content }) => content.map(({ text }) => text).join("")),
    seqs: (conversation) => conversation.events.map(({ seq }) => seq),
  });
</script>`;

// Ends the tests if a browser or server hangs.
setTimeout(() => process.exit(1), 100_000).unref();

let browser, load, streaming;

before(async () => {
  const inMemory = { WORKER_DATABASE_TYPE: "memory" };
  [load, streaming, browser] = await Promise.all([
    startServer("example-load", inMemory),
    startServer("example-streaming", inMemory),
    // Chromium does not know the address of a page that the test serves, and treats it as one from the internet.
    startChromium(["--disable-features=LocalNetworkAccessChecks"]),
  ]);
}, { timeout: 30_000 });

after(async () => {
  try {
    await browser?.close();
  } finally {
    await Promise.all([load?.stop(), streaming?.stop()]);
  }
}, { timeout: 15_000 });

/**
 * Opens a page of a server with the client. Its storage is its own.
 *
 * @param {string} host
 * @param {(socket: import("playwright-core").WebSocketRoute) => void} [onSocket] sits between the page and the server
 */
async function open(host, onSocket) {
  const page = await browser.newPage();
  page.setDefaultTimeout(10_000);
  page.errors = [];
  page.on("pageerror", (error) => page.errors.push(error));
  await page.route(`**${served}**`, async (route) => {
    const path = new URL(route.request().url()).pathname.slice(served.length);
    if (path === "") return route.fulfill({ body: document, contentType: "text/html" });
    const body = await readFile(join(root, "dooers/playground", path), "utf8");
    return route.fulfill({ body, contentType: "text/javascript" });
  });
  if (onSocket) await page.routeWebSocket("**", onSocket);
  await page.goto(`http://${host}${served}`);
  return page;
}

/** The numbers from 1 to `last`. */
const upTo = (last) => Array.from({ length: last }, (_, index) => index + 1);

const limit = { timeout: 10_000 };

test("deltas join to the final text", limit, async () => {
  const page = await open(streaming.host);
  const { answer, joined, shown, seqs } = await page.evaluate(async () => {
    create().start();
    let joined = "", answerId = null;
    client.addEventListener("frame", ({ detail: { direction, frame } }) => {
      if (direction !== "in") return;
      const [event] = frame.payload.events ?? [];
      if (event?.actor === "assistant" && event.type === "message" && event.streaming && !answerId) {
        answerId = event.id;
        joined = event.content[0].text;
      }
      if (frame.type === "event.delta" && frame.payload.event_id === answerId) joined += frame.payload.text;
    });
    const conversation = client.open(null);
    const shown = new Set();
    conversation.addEventListener("change", () => shown.add(texts(conversation, "assistant").at(-1) ?? ""));
    conversation.send("hello");
    await settled(conversation);
    return { answer: texts(conversation, "assistant"), joined, shown: [...shown], seqs: seqs(conversation) };
  });
  assert.deepEqual(answer, ["You said: hello. That reminds me of a long story."]);
  assert.equal(joined, answer[0]);
  assert.ok(shown.length > 3, `${shown.length} states were shown`);
  for (const [index, text] of shown.entries()) assert.ok(answer[0].startsWith(text) && text.length >= (shown[index - 1]?.length ?? 0));
  assert.deepEqual(seqs, upTo(seqs.length));
});
