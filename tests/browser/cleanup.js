/** The end of a test file. */

import { after } from "node:test";

/**
 * Stops the browser and the servers after the tests of a file. Ends the file after 200 s, in case one of them hangs.
 *
 * @param {() => import("playwright-core").Browser | undefined} browser returns the browser, if it was started
 * @param {() => ({stop: () => Promise<void>} | undefined)[]} servers returns the servers that were started
 */
export function stopAfterwards(browser, servers) {
  setTimeout(() => process.exit(1), 200_000).unref();
  after(async () => {
    try {
      await browser()?.close();
    } finally {
      await Promise.all(servers().map((server) => server?.stop()));
    }
  }, { timeout: 15_000 });
}
