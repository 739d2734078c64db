/** A headless Chromium, driven by playwright-core. */

import { createRequire } from "node:module";

// `import` would look for the package beside this file. `require` also finds it in NODE_PATH, which is below target/.
const { chromium } = createRequire(import.meta.url)("playwright-core");

/**
 * Starts the Chromium that `tests/run` found. The caller closes it.
 *
 * @param {string[]} args further arguments of its command line
 */
export function startChromium(args = []) {
  return chromium.launch({
    executablePath: process.env.DOOERS_TEST_CHROMIUM,
    // Chromium refuses to run as root with a sandbox.
    chromiumSandbox: process.getuid() !== 0,
    args,
  });
}

/**
 * Opens the console of a page.
 *
 * @param {import("playwright-core").Page} page
 * @returns {Promise<{run: (script: string) => Promise<void>, printed: (line: string) => Promise<void>, lines: string[]}>}
 *   `run` evaluates a script as the console does, including its rules for repeated declarations, and fails if the script
 *   throws. `printed` waits for a line, and fails if the page throws. `lines` has all lines so far.
 */
export async function openConsole(page) {
  const session = await page.context().newCDPSession(page);
  const lines = [];
  let check = () => {};
  page.on("console", (message) => {
    lines.push(message.text());
    check();
  });
  page.on("pageerror", (error) => {
    lines.push(`uncaught ${error}`);
    check();
  });
  const run = async (expression) => {
    const answer = await session.send("Runtime.evaluate", { expression, replMode: true, includeCommandLineAPI: true });
    if (answer.exceptionDetails) {
      throw new Error(answer.exceptionDetails.exception?.description ?? answer.exceptionDetails.text);
    }
  };
  const printed = (line) =>
    new Promise((resolve, reject) => {
      check = () => {
        const error = lines.find((line) => line.startsWith("uncaught "));
        if (error) reject(new Error(error));
        else if (lines.includes(line)) resolve();
      };
      check();
    });
  return { run, printed, lines };
}
