/** A client in a page that sends its token as `auth_token`, and a server that requires one. */

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { startChromium } from "./chromium.js";
import { stopAfterwards } from "./cleanup.js";
import { openClient } from "./client.js";
import { startServer } from "./server.js";
import { requiresToken, token } from "./token.js";

let browser, server;

before(async () => {
  server = await startServer("example-echo", {
    WORKER_DATABASE_TYPE: "memory",
    ...requiresToken,
    WORKER_JWT_LEEWAY: "0",
    WORKER_AUTH_GRACE: "0",
    WORKER_CONNECT_TIMEOUT: "1",
  });
  browser = await startChromium();
}, { timeout: 30_000 });

stopAfterwards(() => browser, () => [server]);

/** Opens a page of the server with a client. The clock of the page can be advanced. */
async function open(config) {
  const page = await browser.newPage();
  await page.clock.install();
  await page.goto(`http://${server.host}/healthz`);
  const url = `ws://${server.host}/ws`;
  await page.evaluate(`globalThis.client = (${openClient})(${JSON.stringify({ url, ...config })})`);
  return page;
}

/** Waits until the client of the page has this status. */
function status(page, expected) {
  return page.waitForFunction((expected) => client.status === expected, expected);
}

/** Sends a message, and returns the user of the stored message and the text of the answer. */
async function talk(page) {
  await page.evaluate(() => {
    const content = [{ type: "text", text: "hello" }];
    client.frames.length = 0;
    client.send("event.create", { client_event_id: "m1", event: { type: "message", actor: "user", content } });
  });
  const events = await page.waitForFunction(() => {
    const appended = client.frames.filter(({ type }) => type === "event.append");
    const events = appended.flatMap(({ payload }) => payload.events);
    return events.some(({ actor }) => actor === "assistant") && events;
  });
  const [message, answer] = await events.jsonValue();
  return [message.user.user_id, answer.content[0].text];
}

test("client with a right token is answered as the user of the token", { timeout: 20_000 }, async () => {
  const page = await open({ authToken: token(3600), userId: "mallory", organizationId: "globex" });
  await status(page, "connected");
  assert.deepEqual(await talk(page), ["ana", "You said: hello"]);
  assert.equal(await page.evaluate(() => client.sockets.length), 1);
  await page.close();
});

/** Waits until the client is refused, and checks the refusal. */
async function refused(page, text) {
  await status(page, "error");
  const { code, message } = await page.evaluate(() => client.error);
  assert.equal(code, "UNAUTHORIZED");
  assert.ok(message.includes(text), message);
}

test("client with a wrong token is refused once for each socket", { timeout: 20_000 }, async () => {
  const page = await open({ authToken: token(3600, "another secret of at least 32 bytes"), userId: "ana" });
  await refused(page, "the token is not valid for this server");
  // The refusal does not close the socket, so the client does not reconnect until the time limit of `connect`.
  assert.deepEqual(await page.evaluate(() => client.closes), []);
  await status(page, "disconnected");
  await page.clock.fastForward(1_000);
  await refused(page, "the token is not valid for this server");
  const { sockets, closes, frames } = await page.evaluate(() => ({ ...client, sockets: client.sockets.length }));
  assert.deepEqual([sockets, closes], [2, [1008]]);
  assert.deepEqual(frames.map(({ type, payload }) => [type, payload.ok]), [["ack", false], ["ack", false]]);
  await page.close();
});

test("client without a token is refused", { timeout: 20_000 }, async () => {
  const page = await open({ userId: "ana" });
  await refused(page, "this server requires a token");
  await page.close();
});

test("client is closed when its token expires, and returns with a new one", { timeout: 20_000 }, async () => {
  const page = await open({ authToken: token(3) });
  await status(page, "connected");
  await talk(page);
  await status(page, "disconnected");
  assert.deepEqual(await page.evaluate(() => client.closes), [1008]);
  await page.clock.fastForward(1_000);
  await refused(page, "has expired");
  // The program logs the user in again, and sends the new token on the same socket.
  const fresh = token(3600);
  await page.evaluate((authToken) => {
    client.frames.length = 0;
    client.send("connect", { worker_id: "w1", auth_token: authToken });
  }, fresh);
  await page.waitForFunction(() => client.frames.some(({ type, payload }) => type === "ack" && payload.ok));
  await page.close();
});
