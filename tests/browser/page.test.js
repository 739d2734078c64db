/** The page that a worker serves: first steps, keyboard, theme, phone, and a page that is not at the root. */

import assert from "node:assert/strict";
import { createServer, request } from "node:http";
import { connect } from "node:net";
import { before, test } from "node:test";
import { startChromium } from "./chromium.js";
import { stopAfterwards } from "./cleanup.js";
import { assertNoProblems, converse, keepScreenshot, messages, openPanel, openPlayground, phone, row, wide } from "./playground.js";
import { startServer } from "./server.js";

let browser, server;

before(async () => {
  server = await startServer("example-echo", { WORKER_DATABASE_TYPE: "memory" });
  browser = await startChromium();
}, { timeout: 30_000 });

stopAfterwards(() => browser, () => [server]);

const limit = { timeout: 60_000 };

/** Opens the page as on a first visit, and closes it after the test. */
async function visit(t, { viewport = wide, host = server.host, ...options } = {}) {
  const context = await browser.newContext({ viewport });
  t.after(() => context.close());
  return openPlayground(context, host, options);
}

test("first message takes three steps", limit, async (t) => {
  const page = await visit(t);
  await keepScreenshot(page, "page-first-visit");
  const { headers } = await page.evaluate(async () => {
    const answer = await fetch(".");
    return { headers: Object.fromEntries(answer.headers) };
  });
  const policy = headers["content-security-policy"];
  assert.match(policy, /default-src 'none'/);
  assert.doesNotMatch(policy, /unsafe/);
  // Open the address, write, press Enter: the composer has the focus.
  await page.keyboard.type("hello");
  await page.keyboard.press("Enter");
  await messages(page).getByText("You said: hello").waitFor();
  await row(page, "hello").waitFor();
  await keepScreenshot(page, "page-first-answer");
  assert.match(page.url(), /#\/echo\/[0-9a-f-]{36}$/);
  assertNoProblems(page);
});

/** Waits until an element has the focus, which returns to it in the next frame of the screen, and returns its name. */
async function focused(page) {
  const name = await page.waitForFunction(() => {
    const { activeElement: element } = document;
    return element !== document.body && (element?.id || element?.getAttribute("aria-label") || element?.tagName);
  });
  return name.jsonValue();
}

test("keyboard alone is enough", limit, async (t) => {
  const page = await visit(t);
  const press = (key) => page.keyboard.press(key);
  await page.keyboard.type("with keys");
  await press("Enter");
  await messages(page).getByText("You said: with keys").waitFor();
  assert.equal(await focused(page), "composer");
  await page.keyboard.type("second line");
  await press("Shift+Enter");
  await page.keyboard.type("and third");
  await press("Enter");
  await messages(page).getByText("You said: second line").waitFor();
  // Out of the composer, single keys are shortcuts.
  await press("Shift+Tab");
  assert.notEqual(await focused(page), "composer");
  const before = await focused(page);
  await press("?");
  const help = page.getByRole("dialog", { name: "Keyboard shortcuts" });
  await help.waitFor();
  const listed = await help.locator("dt").allTextContents();
  for (const label of ["New conversation", "Search conversations", "Settings", "Keyboard shortcuts"]) {
    assert.ok(listed.includes(label), label);
  }
  await keepScreenshot(page, "page-shortcuts");
  await press("Escape");
  await help.waitFor({ state: "detached" });
  assert.equal(await focused(page), before);
  await press("1");
  await page.getByText("This agent has no settings").waitFor();
  await focused(page);
  await press("3");
  await page.getByRole("listbox", { name: "Frames" }).waitFor();
  await focused(page);
  await press("]");
  await page.getByRole("complementary").waitFor({ state: "detached" });
  await focused(page);
  await press("[");
  await page.locator(".sidebar").waitFor({ state: "detached" });
  await focused(page);
  await press("/");
  await page.waitForFunction(() => document.activeElement.id === "thread-search");
  await page.keyboard.type("no such title");
  await page.getByText("No title contains").waitFor();
  await press("Escape");
  await row(page, "with keys").waitFor();
  await press("Alt+ArrowDown");
  await focused(page);
  // Every stop of the Tab key is visible, and the way round leads through all parts.
  const stops = new Set();
  for (let count = 0; count < 40; count += 1) {
    await press("Tab");
    const [name, isVisible] = await page.evaluate(() => {
      const { activeElement: element } = document;
      const box = element.getBoundingClientRect();
      return [element.id || element.getAttribute("aria-label") || element.textContent, box.width > 0 && box.height > 0];
    });
    assert.ok(isVisible, name);
    stops.add(name.trim());
  }
  for (const name of ["composer", "thread-search", "Help and shortcuts"]) assert.ok(stops.has(name), [...stops].join(", "));
  assertNoProblems(page);
});

test("theme is remembered", limit, async (t) => {
  const page = await visit(t);
  const isDark = () => page.evaluate(() => {
    const [red] = getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number);
    return red < 128;
  });
  await page.emulateMedia({ colorScheme: "light" });
  assert.equal(await isDark(), false);
  await page.emulateMedia({ colorScheme: "dark" });
  assert.equal(await isDark(), true);
  await page.getByRole("button", { name: "Theme: system" }).click();
  assert.equal(await isDark(), false);
  await page.emulateMedia({ colorScheme: "light" });
  await page.getByRole("button", { name: "Theme: light" }).click();
  assert.equal(await isDark(), true);
  await page.reload();
  await page.getByRole("button", { name: "Theme: dark" }).waitFor();
  assert.equal(await isDark(), true);
  await converse(page, "in the dark");
  await keepScreenshot(page, "page-dark");
  assertNoProblems(page);
});

/** Checks that nothing is wider than the window. */
async function assertFits(page, where) {
  const [wanted, width] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(wanted <= width, `${where} is ${wanted} px wide`);
  await keepScreenshot(page, `phone-${where}`);
}

test("phone shows everything without scrolling sideways", limit, async (t) => {
  const page = await visit(t, { viewport: phone });
  await assertFits(page, "empty");
  const long = "w".repeat(300);
  await converse(page, `${long} \`${long}\`\n\n| a | b | c | d | e | f |\n|---|---|---|---|---|---|\n| ${long} | 2 | 3 | 4 | 5 | 6 |`);
  await assertFits(page, "conversation");
  const list = page.getByRole("button", { name: "List of conversations" });
  await list.click();
  const drawer = page.locator(".sidebar");
  await drawer.waitFor();
  await assertFits(page, "list");
  await page.keyboard.press("Escape");
  await drawer.waitFor({ state: "detached" });
  await page.waitForFunction(() => document.activeElement.getAttribute("aria-label") === "List of conversations");
  // A chosen conversation closes the drawer.
  await list.click();
  await drawer.getByRole("link").first().click();
  await drawer.waitFor({ state: "detached" });
  for (const name of ["Settings", "Analytics", "Inspector"]) {
    await openPanel(page, name);
    await assertFits(page, name.toLowerCase());
  }
  await page.getByRole("listbox", { name: "Frames" }).getByRole("option").last().click();
  await assertFits(page, "frame");
  await page.getByRole("button", { name: "Close the panel" }).click();
  await page.getByRole("complementary").waitFor({ state: "detached" });
  await focused(page);
  await page.getByRole("button", { name: /^Identity/ }).click();
  await page.getByRole("dialog").waitFor();
  await assertFits(page, "identity");
  assertNoProblems(page);
});

/** Starts a proxy that serves what is below a path from a server without the path. */
async function startProxy(prefix) {
  const [hostname, port] = server.host.split(":");
  const sockets = new Set();
  const proxy = createServer((from, answer) => {
    if (!from.url.startsWith(prefix)) return answer.writeHead(404).end();
    const { method, headers } = from;
    const to = request({ hostname, port, path: from.url.slice(prefix.length), method, headers }, (found) => {
      answer.writeHead(found.statusCode, found.headers);
      found.pipe(answer);
    });
    to.end();
  });
  proxy.on("upgrade", (from, socket, head) => {
    const to = connect(port, hostname);
    const lines = [`GET ${from.url.slice(prefix.length)} HTTP/1.1`];
    for (let at = 0; at < from.rawHeaders.length; at += 2) lines.push(`${from.rawHeaders[at]}: ${from.rawHeaders[at + 1]}`);
    to.write(`${lines.join("\r\n")}\r\n\r\n`);
    to.write(head);
    for (const end of [to, socket]) {
      sockets.add(end);
      end.on("error", () => {});
    }
    socket.pipe(to).pipe(socket);
  });
  await new Promise((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const stop = () => {
    for (const socket of sockets) socket.destroy();
    proxy.close();
    proxy.closeAllConnections();
  };
  return { host: `127.0.0.1:${proxy.address().port}`, stop };
}

test("page below a path finds its files and its server", limit, async (t) => {
  const proxy = await startProxy("/team/agents-of-us");
  t.after(proxy.stop);
  const page = await visit(t, { host: proxy.host, path: "/team/agents-of-us/" });
  await converse(page, "from below");
  await messages(page).getByText("You said: from below").waitFor();
  assertNoProblems(page);
});

test("page that a program nests below a path is opened", limit, async (t) => {
  const program = await startServer("example-dispatch", { WORKER_DATABASE_TYPE: "memory", RUST_LOG: "error" });
  t.after(program.stop);
  const page = await visit(t, { host: program.host, path: "/playground" });
  assert.match(page.url(), /\/playground\/index\.html#\/parrot$/);
  await converse(page, "from a nest");
  await messages(page).getByText("You said: from a nest").waitFor();
  const answer = await fetch(`http://${program.host}/webhook`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ user: "ada", text: "from a webhook" }),
  });
  assert.equal(answer.status, 200);
  // The root of the program is its own.
  assert.equal((await fetch(`http://${program.host}/`)).status, 404);
  await keepScreenshot(page, "page-nested");
  assertNoProblems(page);
});
