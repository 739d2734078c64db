/** The page of the playground with a server, agents and users that try to break or deceive it. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { after, before, test } from "node:test";
import { startChromium } from "./chromium.js";
import { root } from "./workspace.js";

// Ends the tests if the browser hangs.
setTimeout(() => process.exit(1), 100_000).unref();

const limit = { timeout: 20_000 };
const types = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };
const time = "2026-02-11T10:00:00Z";
const reordering = /[\u202a-\u202e\u2066-\u2069]/;

/** Serves the files of the page, and a list of agents. */
const files = createServer(async (request, response) => {
  const { pathname } = new URL(request.url, "http://localhost");
  const file = pathname === "/" ? "/index.html" : pathname;
  const isList = pathname === "/agents";
  const body = isList
    ? JSON.stringify({ agents: [{ name: "a", is_default: true }] })
    : await readFile(join(root, "dooers/playground", file)).catch(() => null);
  const type = isList ? "application/json" : types[extname(file)] ?? "text/plain";
  response.writeHead(body ? 200 : 404, { "content-type": type }).end(body);
});

let browser;

before(async () => {
  await new Promise((resolve) => files.listen(0, "127.0.0.1", resolve));
  browser = await startChromium();
}, { timeout: 30_000 });

after(async () => {
  await browser?.close();
  files.closeAllConnections();
  files.close();
});

/**
 * Opens the page at a thread of a server that exists only in the test.
 *
 * @param {object} snapshot members of `thread.snapshot`, which the test may change
 * @returns the page. `page.send` sends a frame to it, and `page.errors` has what it has thrown
 */
async function open(snapshot) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  page.errors = [];
  page.on("pageerror", (error) => page.errors.push(error));
  await page.routeWebSocket("**", (socket) => {
    page.socket = socket;
    page.send = (type, payload, id = "0") => socket.send(JSON.stringify({ id, type, payload }));
    socket.onMessage((text) => {
      const { id, type, payload } = JSON.parse(text);
      if (type === "thread.subscribe") page.send("thread.snapshot", { thread: { id: payload.thread_id }, runs: [], ...snapshot }, id);
      else if (type === "thread.list") page.send("thread.list.result", { threads: [], cursor: null, total_count: 0 }, id);
      else if (type === "ping") page.send("pong", {});
      else page.send("ack", { ack_id: id, ok: true, server: { name: "test", version: "1", capabilities: ["event.delta"] } });
    });
  });
  await page.goto(`http://127.0.0.1:${files.address().port}/#/a/T`);
  await page.waitForSelector(".row");
  return page;
}

/** A message of the agent. */
const said = (seq, text, more) =>
  ({ id: `e${seq}`, seq, type: "message", actor: "assistant", created_at: time, content: [{ type: "text", text }], ...more });

test("no text reorders the text around it", limit, async () => {
  const page = await open({ events: [said(1, "a\u202eb &#x202e; [c&#8238;d](https://example.org/ 'e&#x202e;f') `\u202e`")] });
  page.send("thread.upsert", { thread: { id: "U", title: "photo\u202egnp.exe", created_at: time, updated_at: time } });
  page.send("analytics.event", { event: "x\u202ey", timestamp: time, data: { status: "\u202e" } });
  await page.getByText("photo[U+202E]gnp.exe").waitFor();
  assert.doesNotMatch(await page.evaluate(() => document.documentElement.outerHTML), reordering);
});

test("link whose text names another host tells its own", limit, async () => {
  const links = [
    ["[https://bank.example](https://evil.example)", "https://bank.example (evil.example)"],
    ["[www.bank.example/login](https://evil.example)", "www.bank.example/login (evil.example)"],
    ["[b\u0430nk.example](https://b\u0430nk.example)", "b\u0430nk.example (xn--bnk-6cd.example)"],
    ["https://example.org/path", "https://example.org/path"],
    ["[the page](https://example.org)", "the page"],
    ["<https://bank.example@evil.example>", null],
  ];
  const page = await open({ events: links.map(([text], index) => said(index + 1, text)) });
  // Markdown is rendered after its row.
  await page.waitForFunction((count) => document.querySelectorAll(".markdown a").length === count, links.filter(([, link]) => link).length);
  const shown = await page.evaluate(() =>
    [...document.querySelectorAll(".row-message")].map((row) => row.querySelector(".markdown a")?.textContent ?? null));
  assert.deepEqual(shown, links.map(([, expected]) => expected));
});

test("tokens are hidden in time, whatever the text is", limit, async () => {
  const page = await open({ events: [said(1, "hello")] });
  const { masked, took } = await page.evaluate(async () => {
    const { maskSecrets } = await import("./state/secrets.js");
    const { formatJson } = await import("./views/panels/json.js");
    const masked = [
      String.raw`{"auth_token":"a\"b","x":"auth_token"}`,
      String.raw`{"\u0061uth_token" : "a\\","auth_token":"never ends`,
      String.raw`"a\\" "auth_token":""`,
    ].map(maskSecrets);
    const began = performance.now();
    for (const text of [String.raw`\u00${'"\\'.repeat(1 << 19)}`, `{"a":"${"\\n".repeat(1 << 22)}","auth_token":1}`]) {
      maskSecrets(text);
      formatJson(text, 10_000);
    }
    return { masked, took: performance.now() - began };
  });
  assert.deepEqual(masked, [
    String.raw`{"auth_token":"••••••••","x":"auth_token"}`,
    String.raw`{"\u0061uth_token" : "••••••••","auth_token":"••••••••`,
    String.raw`"a\\" "auth_token":"••••••••"`,
  ]);
  assert.ok(took < 5_000, `${took} ms`);
});

test("password of a form is hidden in the log of frames", limit, async () => {
  const elements = [{ type: "text_input", input_type: "password", name: "p", label: "Password" }];
  const page = await open({ events: [said(1, "", { type: "form", content: [], data: { message: "Who?", elements } })] });
  await page.getByLabel("Password").fill('hunter"2');
  await page.getByRole("button", { name: "Submit" }).click();
  const shown = await page.evaluate(async () => {
    const { frames } = await import("./state/frames.js");
    const { maskSecrets } = await import("./state/secrets.js");
    return frames.entries.filter(({ type }) => type === "event.create").map(({ text }) => JSON.parse(maskSecrets(text)).payload.event.data);
  });
  assert.deepEqual(shown.map(({ values }) => values), [{ p: "••••••••" }]);
});

test("list that is replaced while it is scrolled up stays in view", limit, async () => {
  const messages = (from) => Array.from({ length: 100 }, (_, index) => said(from + index, `text ${from + index}`));
  const snapshot = { events: messages(1) };
  const page = await open(snapshot);
  await page.mouse.move(600, 300);
  await page.mouse.wheel(0, -2_000);
  await page.getByRole("button", { name: "To the end" }).waitFor();
  snapshot.events = messages(901);
  await page.socket.close({ code: 1001 });
  await page.getByText("text 901", { exact: true }).waitFor();
  assert.ok(await page.evaluate(() => {
    const list = document.querySelector(".scroller").getBoundingClientRect();
    return [...document.querySelectorAll(".conversation .row")].some((row) => {
      const { top, bottom } = row.getBoundingClientRect();
      return bottom > list.top && top < list.bottom;
    });
  }));
});

test("members of any type leave the page whole", limit, async () => {
  const wrong = [null, 5, {}, [null], { toString: 1 }, "\ud800"];
  const names = ["type", "actor", "author", "user", "content", "data", "created_at", "run_id"];
  const events = wrong.flatMap((value, at) => names.map((name, index) => said(1 + at * names.length + index, "x", { [name]: value })));
  const page = await open({ events: [...events, said(1000, "the end")] });
  for (const value of wrong) {
    for (const name of ["id", "title", "created_at", "updated_at", "last_event_at"]) {
      page.send("thread.upsert", { thread: { id: "U", title: "t", created_at: time, [name]: value } });
    }
    page.send("run.upsert", { run: { id: "R", thread_id: "T", status: value, started_at: value, usage: [value, { model: value }] } });
  }
  page.send("thread.upsert", { thread: { id: "T", title: "after all", created_at: time, updated_at: time } });
  await page.getByRole("heading", { name: "after all" }).waitFor();
  await page.getByText("the end", { exact: true }).waitFor();
  assert.equal(await page.locator("div.broken").count(), 0);
  assert.deepEqual(page.errors, []);
});

test("dead connection is noticed although the clock was set back", limit, async () => {
  const page = await open({ events: [said(1, "hello")] });
  const phase = await page.evaluate(async () => {
    const { Connection } = await import("./client/connection.js");
    const timers = new Map();
    let lastTimer = 0;
    const elapsed = { ms: 0 };
    const now = Date.now();
    globalThis.setTimeout = (action, ms) => {
      timers.set((lastTimer += 1), { action, at: elapsed.ms + ms });
      return lastTimer;
    };
    globalThis.clearTimeout = (timer) => timers.delete(timer);
    performance.now = () => elapsed.ms;
    const sent = [];
    globalThis.WebSocket = class {
      static OPEN = 1;
      readyState = 1;
      send(text) {
        sent.push(JSON.parse(text));
      }
      close() {}
      constructor() {
        queueMicrotask(() => this.onopen());
        queueMicrotask(() => {
          const ack = { ack_id: sent[0].id, ok: true };
          this.onmessage({ data: JSON.stringify({ id: "0", type: "ack", payload: ack }) });
        });
      }
    };
    const none = () => {};
    const listener = { hello: () => ({}), onConnected: none, onState: none, onFrame: none, onTraffic: none };
    const connection = new Connection("ws://x", listener);
    connection.start();
    for (let turn = 0; turn < 20; turn += 1) await null;
    const before = connection.state.phase;
    Date.now = () => now - 10_800_000;
    while (elapsed.ms < 60_000 && connection.connected) {
      elapsed.ms += 1_000;
      for (const [timer, { action, at }] of timers) {
        if (at > elapsed.ms) continue;
        timers.delete(timer);
        action();
      }
      await null;
    }
    return { before, noticed: elapsed.ms };
  });
  assert.deepEqual(phase, { before: "connected", noticed: 35_000 });
});
