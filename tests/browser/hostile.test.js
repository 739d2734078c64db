/** The page of the playground with a server, agents and users that try to break or deceive it. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startChromium } from "./chromium.js";
import { keepScreenshot } from "./playground.js";
import { event, openStub, said, serveFiles } from "./stub.js";

// Ends the tests if the browser hangs.
setTimeout(() => process.exit(1), 100_000).unref();

const limit = { timeout: 20_000 };
const time = "2026-02-11T10:00:00Z";
const reordering = /[\u202a-\u202e\u2066-\u2069]/;

let browser, files;

before(async () => {
  files = await serveFiles();
  browser = await startChromium();
}, { timeout: 30_000 });

after(async () => {
  await browser?.close();
  files?.stop();
});

const open = (snapshot) => openStub(browser, files.host, snapshot);

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

test("numbers of tools keep all digits", limit, async () => {
  const page = await open({ events: [said(1, "hello")] });
  const data = (more) => `{"id":"c","name":"count","args":{"at":9007199254740993,"list":[18446744073709551615,1.5]}${more}}`;
  const call = (seq, type, actor, more) => JSON.stringify(event(seq, { type, actor, data: 0 })).replace('"data":0', `"data":${data(more)}`);
  const events = [call(2, "tool.call", "assistant", ""), call(3, "tool.result", "tool", ',"result":0.12345678901234567890'),
    call(4, "tool.transaction", "tool", ',"result":{"big":1e400,"small":-12345678901234567890,"text":"1234567890123456789"}')];
  page.socket.send(`{"id":"0","type":"event.append","payload":{"thread_id":"T","events":[${events}]}}`);
  const cards = page.locator("details.tool");
  await cards.nth(1).waitFor();
  assert.match(await cards.nth(0).locator("summary").innerText(), /at: 9007199254740993, list: \[2\]/);
  for (const index of [0, 1]) await cards.nth(index).locator("summary").click();
  const shown = async (index, name) => (await cards.nth(index).getByRole("region", { name }).textContent()).replace(/\s+/g, "");
  assert.equal(await shown(0, /^Arguments/), '{"at":9007199254740993,"list":[18446744073709551615,1.5]}');
  assert.equal(await shown(0, /^Result/), "0.12345678901234567890");
  assert.equal(await shown(1, /^Result/), '{"big":1e400,"small":-12345678901234567890,"text":"1234567890123456789"}');
  await keepScreenshot(page, "exact-numbers");
  assert.deepEqual(page.errors, []);
});

test("numbers are rounded in browsers without sources", limit, async () => {
  const page = await open({ events: [said(1, "hello")] });
  const rounded = await page.evaluate(async () => {
    const parse = JSON.parse;
    JSON.parse = (text, revive) => parse(text, revive && function (key, value) { return revive.call(this, key, value); });
    const { parseJson, writeJson } = await import("./client/numbers.js");
    return writeJson(parseJson('{"at":9007199254740993,"text":"9007199254740993"}'));
  });
  assert.equal(rounded, '{"at":9007199254740992,"text":"9007199254740993"}');
});
