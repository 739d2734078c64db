/** Makes the pictures of the playground in docs/images, from the servers of two examples. */

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { startChromium } from "./chromium.js";
import { converse, openPanel, openPlayground, wide } from "./playground.js";
import { startServer } from "./server.js";
import { root } from "./workspace.js";

const directory = join(root, "docs/images");

/**
 * Opens the page of an example in a browser of its own, and stores the picture that `prepare` leaves.
 *
 * @param {string} example
 * @param {"light" | "dark"} colorScheme
 * @param {string} name the name of the file
 * @param {(page: import("playwright-core").Page) => Promise<void>} prepare
 */
async function picture(example, colorScheme, name, prepare) {
  const server = await startServer(example, { WORKER_DATABASE_TYPE: "memory", RUST_LOG: "error" });
  const browser = await startChromium();
  try {
    const context = await browser.newContext({ viewport: wide, colorScheme, reducedMotion: "reduce" });
    const page = await openPlayground(context, server.host, { others: ["example.org"] });
    await prepare(page);
    await page.screenshot({ path: join(directory, name), animations: "disabled", caret: "initial" });
  } finally {
    await browser.close();
    await server.stop();
  }
}

/** Has a conversation of its own about each text. */
async function discuss(page, ...texts) {
  for (const text of texts) {
    await page.getByRole("button", { name: "New conversation" }).click();
    await converse(page, text);
  }
}

await mkdir(directory, { recursive: true });

await picture("example-tools", "light", "playground.png", async (page) => {
  await openPanel(page, "Inspector");
  await discuss(page, "Is it raining in Oslo?", "How is the weather everywhere?", "How is the weather in Paris and Rome?");
  await page.locator("details.tool summary, .tool button").first().click();
  const frames = page.getByRole("listbox", { name: "Frames" });
  await frames.getByRole("option").filter({ hasText: "event.append" }).last().click();
  await page.getByRole("region", { name: "Frame" }).waitFor();
});

await picture("example-settings", "dark", "playground-settings.png", async (page) => {
  await openPanel(page, "Settings");
  await discuss(page, "When do you open?", "Can I change my delivery address?");
  await page.getByLabel("Name", { exact: true }).fill("Grace");
  await page.getByLabel("Name", { exact: true }).press("Enter");
  await page.getByText("Saved", { exact: true }).first().waitFor();
  await converse(page, "And who is speaking?");
  const temperature = page.getByLabel("Temperature", { exact: true });
  await temperature.fill("12");
  await temperature.press("Enter");
  await page.locator(".setting .notice.error").waitFor();
  await page.locator(".panel-body").evaluate((element) => element.scrollTo(0, 0));
});
