/** The playground in several tabs: of one identity, of two, and of one with a token. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { before, test } from "node:test";
import { startChromium } from "./chromium.js";
import { stopAfterwards } from "./cleanup.js";
import { assertNoProblems, converse, keepScreenshot, messages, openPanel, openPlayground, row, wide } from "./playground.js";
import { startServer } from "./server.js";
import { requiresToken, token } from "./token.js";

let browser, settings, echo, guarded;

before(async () => {
  const inMemory = { WORKER_DATABASE_TYPE: "memory" };
  settings = await startServer("example-settings", { ...inMemory, WORKER_PRIVATE_THREADS: "true", RUST_LOG: "error" });
  guarded = await startServer("example-echo", { ...inMemory, ...requiresToken });
  echo = await startServer("example-echo", inMemory);
  browser = await startChromium();
}, { timeout: 30_000 });

stopAfterwards(() => browser, () => [settings, guarded, echo]);

const limit = { timeout: 60_000 };

/** The storage of a new visitor, which the tabs of the visitor share. */
async function visitor(t) {
  const context = await browser.newContext({ viewport: wide, acceptDownloads: true });
  t.after(() => context.close());
  return context;
}

/** Opens a page of the server with settings, whose logo is at another host. */
const openSettings = (context) => openPlayground(context, settings.host, { others: ["example.org"] });

/** Changes the title of the shown conversation. */
async function rename(page, title) {
  await page.getByRole("button", { name: "Rename the conversation" }).click();
  await page.getByRole("textbox", { name: "Title" }).fill(title);
  await page.keyboard.press("Enter");
}

test("changes appear in the other tab", limit, async (t) => {
  const context = await visitor(t);
  const [one, two] = [await openSettings(context), await openSettings(context)];
  for (const page of [one, two]) await openPanel(page, "Settings");
  await one.getByLabel("Name", { exact: true }).fill("Grace");
  await one.keyboard.press("Enter");
  await two.waitForFunction(() => [...document.querySelectorAll(".setting input")].some(({ value }) => value === "Grace"));
  await converse(one, "from the first tab");
  await row(two, "from the first tab").waitFor();
  await row(two, "from the first tab").getByRole("link").click();
  await messages(two).getByText("Grace (gpt-4o-mini").waitFor();
  await rename(one, "Renamed in one");
  await row(two, "Renamed in one").waitFor();
  await two.getByRole("heading", { name: "Renamed in one" }).waitFor();
  await keepScreenshot(two, "tabs-second");
  await row(one, "Renamed in one").hover();
  await one.getByRole("button", { name: "Delete “Renamed in one”" }).click();
  await one.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await row(two, "Renamed in one").waitFor({ state: "detached" });
  await two.getByText("This conversation was deleted.").waitFor();
  await keepScreenshot(two, "tabs-deleted");
  [one, two].forEach(assertNoProblems);
});

test("titles are changed, searched and removed", limit, async (t) => {
  const sent = [];
  const page = await openPlayground(await visitor(t), echo.host, { onSent: (frame) => sent.push(frame) });
  const updates = () => sent.filter(({ type }) => type === "thread.update").map(({ payload }) => payload.title);
  for (const [text, title] of [["apples", "Orchard 100%"], ["bees", "Hive_2"]]) {
    await page.getByRole("button", { name: "New conversation" }).click();
    await converse(page, text);
    await rename(page, title);
    await row(page, title).waitFor();
  }
  assert.deepEqual(updates(), ["Orchard 100%", "Hive_2"]);
  const search = page.locator("#thread-search");
  // The server searches, and signs with a meaning in SQL have none here.
  for (const [query, found] of [["orchard", 1], ["0%", 1], ["_", 1], ["hive", 1], ["apples", 0]]) {
    await search.fill(query);
    await page.waitForFunction(
      ([rows, query]) =>
        document.querySelectorAll(".thread-row").length === rows && (rows > 0 || document.body.textContent.includes(`contains “${query}”`)),
      [found, query],
    );
  }
  assert.ok(sent.some(({ type, payload }) => type === "thread.list" && payload.query === "orchard"));
  await keepScreenshot(page, "tabs-search");
  await search.fill("");
  await row(page, "Orchard").waitFor();
  await rename(page, "");
  await row(page, "bees").waitFor();
  assert.equal(updates().at(-1), "");
  await page.getByRole("heading", { name: "bees" }).waitFor();
  assertNoProblems(page);
});

test("deletion asks first", limit, async (t) => {
  const page = await openPlayground(await visitor(t), echo.host);
  await page.getByRole("button", { name: "New conversation" }).click();
  await converse(page, "to be deleted");
  const ask = async () => {
    await row(page, "to be deleted").hover();
    await page.getByRole("button", { name: "Delete “to be deleted”" }).click();
    await page.getByRole("dialog", { name: "Delete this conversation?" }).waitFor();
  };
  await ask();
  await keepScreenshot(page, "tabs-delete");
  // Enter presses the button with the focus, which keeps the conversation.
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  assert.equal(await row(page, "to be deleted").count(), 1);
  await ask();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await row(page, "to be deleted").waitFor({ state: "detached" });
  await page.getByText("Write a message to start a conversation.").waitFor();
  await page.waitForFunction(() => document.activeElement !== document.body);
  assertNoProblems(page);
});

/** Connects a tab as another user. */
async function become(page, user) {
  await page.getByRole("button", { name: /^Identity/ }).click();
  const dialog = page.getByRole("dialog", { name: "Identity" });
  await dialog.getByRole("button", { name: "New identity" }).click();
  await dialog.getByLabel("User ID").fill(user);
  await dialog.getByRole("button", { name: "Use in this tab" }).click();
  await dialog.waitFor({ state: "detached" });
  await page.locator(".connection.connected").waitFor();
}

test("two identities do not see each other", limit, async (t) => {
  const context = await visitor(t);
  const [ada, bob] = [await openSettings(context), await openSettings(context)];
  await become(ada, "ada");
  await become(bob, "bob");
  await converse(ada, "a secret of ada");
  await converse(bob, "a secret of bob");
  await row(ada, "a secret of ada").waitFor();
  await row(bob, "a secret of bob").waitFor();
  assert.equal(await ada.locator(".thread-row").count(), 1);
  assert.equal(await bob.locator(".thread-row").count(), 1);
  // The address of the thread of another user shows nothing of it.
  await bob.goto(ada.url());
  await bob.getByText("does not exist, or you may not see it").waitFor();
  await bob.getByRole("heading", { name: "Not found" }).waitFor();
  assert.ok(!(await bob.locator("#app").textContent()).includes("a secret of ada"));
  await keepScreenshot(bob, "tabs-other-identity");
  await bob.reload();
  await bob.getByRole("button", { name: "Identity: bob" }).waitFor();
  await ada.reload();
  await ada.getByRole("button", { name: "Identity: ada" }).waitFor();
  await ada.locator(".message, .row").getByText("a secret of ada").first().waitFor();
  [ada, bob].forEach(assertNoProblems);
});

test("wrong token is refused, and a right one connects", limit, async (t) => {
  const page = await openPlayground(await visitor(t), guarded.host, { state: "refused" });
  const refusal = page.getByRole("alert").filter({ hasText: "The server refused the connection." });
  await refusal.getByText("this server requires a token").waitFor();
  await keepScreenshot(page, "token-refused");
  const enter = async (text) => {
    await refusal.getByRole("button", { name: "Change identity" }).click();
    const dialog = page.getByRole("dialog", { name: "Identity" });
    // A refused page asks for the token at once.
    await page.waitForFunction(() => document.activeElement.matches("dialog textarea"));
    await page.keyboard.press("Control+A");
    await page.keyboard.insertText(text);
    await keepScreenshot(page, "token-dialog");
    await dialog.getByRole("button", { name: "Use in this tab" }).click();
    await dialog.waitFor({ state: "detached" });
  };
  await enter(token(3600, "another secret of at least 32 bytes"));
  await refusal.getByText("the token is not valid for this server").waitFor();
  const right = token(3600);
  await enter(right);
  await page.locator(".connection.connected").waitFor();
  await refusal.waitFor({ state: "detached" });
  await converse(page, "with a token");
  await messages(page).getByText("You said: with a token").waitFor();

  // The log has all frames as lines of JSON, without the token.
  await openPanel(page, "Inspector");
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Export" }).click();
  const text = await readFile(await (await download).path(), "utf8");
  const lines = text.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.ok(lines.some(({ direction, frame }) => direction === "out" && frame.type === "connect" && frame.payload.auth_token));
  assert.ok(lines.some(({ direction, frame }) => direction === "in" && frame.type === "event.append"));
  for (const part of right.split(".")) assert.ok(!text.includes(part), "the file has a part of the token");
  assert.ok(!(await page.locator("body").textContent()).includes(right));
  // Another tab does not know the token, which was not to be remembered.
  const other = await openPlayground(page.context(), guarded.host, { state: "refused" });
  await other.close();
  assertNoProblems(page);
});
