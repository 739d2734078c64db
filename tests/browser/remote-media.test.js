/** Images and sounds of other hosts, which the page loads only with permission. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startChromium } from "./chromium.js";
import { keepScreenshot, phone } from "./playground.js";
import { openStub, event, said, serveFiles } from "./stub.js";
import { readPackage } from "./workspace.js";

// Ends the tests if the browser hangs.
setTimeout(() => process.exit(1), 100_000).unref();

const limit = { timeout: 20_000 };
const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><rect width="64" height="64" fill="teal"/></svg>';
const inline = `data:image/svg+xml,${encodeURIComponent(svg)}`;

let browser, files;

before(async () => {
  files = await serveFiles();
  browser = await startChromium();
}, { timeout: 30_000 });

after(async () => {
  await browser?.close();
  files?.stop();
});

const events = [
  event(1, { content: [
    { type: "image", url: "https://one.example/part.svg", alt: "A chart" },
    { type: "image", url: inline, alt: "An inline square" },
    { type: "audio", url: "https://one.example/part.wav", filename: "Speech" },
    { type: "image", url: "https://two.example/part.svg", width: 64, height: 64 },
  ] }),
  said(2, `Text ![A map](https://one.example/map.svg) and ![inline](${inline}) and
[![https://bank.example](https://two.example/link.svg)](https://three.example/) end`),
];

/** Opens the page, with a list of the addresses that other hosts were asked for. */
async function open(options = {}) {
  const asked = [];
  const page = await openStub(browser, files.host, { events }, {
    ...options,
    prepare: async (page) => {
      await page.context().route(({ host }) => host.endsWith(".example"), (route) => {
        asked.push(route.request().url());
        return route.fulfill({ body: svg, contentType: "image/svg+xml" });
      });
    },
  });
  page.asked = asked;
  return page;
}

/** Waits until an image is shown, and returns its element. */
async function shown(page, name) {
  const image = page.getByRole("img", { name, exact: true });
  await image.waitFor();
  await image.scrollIntoViewIfNeeded();
  await image.evaluate((element) => element.decode());
  return image;
}

const questions = (page) => page.getByRole("group", { name: /^(Image|Sound) from / });

test("nothing is loaded without permission", limit, async () => {
  const page = await open();
  await shown(page, "An inline square");
  await shown(page, "inline");
  await questions(page).nth(4).waitFor();
  assert.equal(await questions(page).count(), 5);
  assert.deepEqual(await questions(page).evaluateAll((all) => all.map((one) => one.getAttribute("aria-label"))), [
    "Image from one.example", "Sound from one.example", "Image from two.example", "Image from one.example", "Image from two.example",
  ]);
  // The text of the link is that of the image, and it still names the host of the link.
  assert.equal(await page.locator(".markdown a").textContent(), "https://bank.example (three.example)");
  await keepScreenshot(page, "remote-media");
  await page.setViewportSize(phone);
  await keepScreenshot(page, "remote-media-phone");
  const [wanted, width] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(wanted <= width, `${wanted} px`);
  await page.evaluate(await readPackage("axe-core/axe.min.js"));
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { preload: false, resultTypes: ["violations"] }));
  const serious = violations.filter(({ impact }) => ["serious", "critical"].includes(impact));
  assert.deepEqual(serious.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]), []);
  assert.deepEqual(page.asked, []);
  assert.deepEqual(page.errors, []);
});

test("image is loaded once by the keyboard", limit, async () => {
  const page = await open();
  const button = page.getByRole("button", { name: "Load image: A map" });
  await button.focus();
  await page.keyboard.press("Enter");
  const image = await shown(page, "A map");
  // The focus follows to what has taken the place of the button.
  assert.ok(await image.evaluate((element) => element === document.activeElement));
  assert.deepEqual(page.asked, ["https://one.example/map.svg"]);
  await page.getByRole("button", { name: "Load image: A chart" }).press("Enter");
  await shown(page, "A chart");
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute("aria-label")), "Open image: A chart");
  await page.getByRole("button", { name: "Load sound: Speech" }).press("Enter");
  assert.equal(await page.locator("audio").evaluate((element) => element === document.activeElement), true);
  assert.deepEqual(page.asked.sort(), ["https://one.example/map.svg", "https://one.example/part.svg"]);
  assert.equal(await questions(page).count(), 2);
  // One permission is for this tab only.
  await page.reload();
  await questions(page).nth(4).waitFor();
  assert.deepEqual(page.errors, []);
});

test("permission of a host is remembered and withdrawn", limit, async () => {
  const page = await open();
  await questions(page).nth(4).waitFor();
  await page.getByRole("button", { name: "Always from two.example" }).last().click();
  await shown(page, "https://bank.example");
  await questions(page).nth(3).waitFor({ state: "detached" });
  assert.equal(await questions(page).count(), 3);
  await page.reload();
  await shown(page, "https://bank.example");
  assert.equal(await questions(page).count(), 3);
  assert.ok(page.asked.every((url) => new URL(url).host === "two.example"), page.asked.join(" "));

  await page.getByRole("button", { name: "Help and shortcuts" }).click();
  const hosts = page.getByRole("list", { name: "Hosts that are loaded without asking" });
  assert.deepEqual(await hosts.locator("bdi").allTextContents(), ["two.example"]);
  await hosts.scrollIntoViewIfNeeded();
  await keepScreenshot(page, "remote-media-choice");
  await hosts.getByRole("button", { name: "Ask again: two.example" }).click();
  await hosts.waitFor({ state: "detached" });
  await page.keyboard.press("Escape");
  await page.reload();
  await questions(page).nth(4).waitFor();
  assert.deepEqual(page.errors, []);
});

test("permission for all hosts is remembered", limit, async () => {
  const page = await open();
  await questions(page).nth(4).waitFor();
  await page.getByRole("button", { name: "Always from all hosts" }).first().click();
  for (const name of ["A chart", "A map", "https://bank.example"]) await shown(page, name);
  await page.locator("audio").waitFor();
  assert.equal(await questions(page).count(), 0);
  await keepScreenshot(page, "remote-media-loaded");
  assert.equal(await page.evaluate(() => JSON.parse(localStorage.getItem("dooers.playground.media")).always), true);
  await page.reload();
  await shown(page, "A map");
  assert.equal(await questions(page).count(), 0);
  assert.deepEqual(page.errors, []);
});
