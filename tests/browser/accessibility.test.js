/** The rules of axe, on every view of the playground, in light and dark. */

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { startChromium } from "./chromium.js";
import { stopAfterwards } from "./cleanup.js";
import { assertNoProblems, converse, keepScreenshot, openPanel, openPlayground, phone, row, wide } from "./playground.js";
import { startServer } from "./server.js";
import { readPackage } from "./workspace.js";

let browser, settings, analytics, axe;

before(async () => {
  const inMemory = { WORKER_DATABASE_TYPE: "memory" };
  axe = await readPackage("axe-core/axe.min.js");
  settings = await startServer("example-settings", { ...inMemory, RUST_LOG: "error" });
  analytics = await startServer("example-analytics", inMemory);
  browser = await startChromium();
}, { timeout: 30_000 });

stopAfterwards(() => browser, () => [settings, analytics]);

const limit = { timeout: 60_000 };

/** Opens the page of a server, with axe. */
async function open(t, server, viewport = wide) {
  // A color in the middle of a transition has no contrast.
  const context = await browser.newContext({ viewport, reducedMotion: "reduce" });
  t.after(() => context.close());
  const page = await openPlayground(context, server.host, { others: ["example.org"] });
  await page.evaluate(axe);
  return page;
}

/** Checks a view by all rules in light, and by those of colors in dark, which is the only difference. */
async function check(page, view) {
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await keepScreenshot(page, `axe-${view}-${colorScheme}`);
    const serious = await page.evaluate(async (isLight) => {
      const rules = isLight ? {} : { runOnly: { type: "rule", values: ["color-contrast", "link-in-text-block"] } };
      // The policy of the page forbids the style sheets that axe would add to preload others.
      const { violations } = await globalThis.axe.run(document, { preload: false, resultTypes: ["violations"], ...rules });
      return violations
        .filter(({ impact }) => ["serious", "critical"].includes(impact))
        .map(({ id, nodes }) => ({ id, nodes: nodes.map(({ html, failureSummary }) => `${html}: ${failureSummary}`) }));
    }, colorScheme === "light");
    assert.deepEqual(serious, [], `${view} in ${colorScheme}`);
  }
}

test("conversation and list follow the rules", limit, async (t) => {
  const page = await open(t, analytics);
  await check(page, "empty");
  await converse(page, "order 7");
  const card = page.locator("details.tool summary, .tool button").first();
  await card.click();
  await check(page, "conversation");
  await openPanel(page, "Analytics");
  await converse(page, "order 8");
  await page.locator(".name", { hasText: "order.looked_up" }).waitFor();
  await check(page, "analytics");
  await row(page, "order 7").hover();
  await page.getByRole("button", { name: "Delete “order 7”" }).click();
  await check(page, "confirmation");
  await page.keyboard.press("Escape");
  assertNoProblems(page);
});

test("settings, inspector and dialogs follow the rules", limit, async (t) => {
  const page = await open(t, settings);
  await openPanel(page, "Settings");
  await page.getByRole("button", { name: "Creator" }).click();
  await page.locator("summary", { hasText: "Limits" }).click();
  await page.getByLabel("Contact").fill("nobody");
  await page.keyboard.press("Enter");
  await page.locator(".setting .notice.error").waitFor();
  await check(page, "settings");
  await openPanel(page, "Inspector");
  await page.getByRole("listbox", { name: "Frames" }).getByRole("option").first().click();
  await page.getByRole("region", { name: "Frame" }).waitFor();
  await check(page, "inspector");
  await page.getByRole("button", { name: "Send a frame" }).click();
  await check(page, "send-frame");
  await page.getByRole("button", { name: /^Identity/ }).click();
  await check(page, "identity");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Help and shortcuts" }).click();
  await check(page, "shortcuts");
  await page.keyboard.press("Escape");
  assertNoProblems(page);
});

test("drawers of a phone follow the rules", limit, async (t) => {
  const page = await open(t, analytics, phone);
  await page.getByRole("button", { name: "List of conversations" }).click();
  await check(page, "phone-list");
  await page.keyboard.press("Escape");
  await openPanel(page, "Inspector");
  await check(page, "phone-inspector");
  assertNoProblems(page);
});
