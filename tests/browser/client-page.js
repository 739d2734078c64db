/** A page with the client of the playground, for its tests. */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { root } from "./workspace.js";

/** The path below which pages find the files of the playground, and the page itself. */
const served = "/playground-under-test/";

/** A page with the client and what the tests use of it. */
const document = `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><script type="module">
  import { Client } from "./client.js";
  const clients = [];
  Object.assign(globalThis, {
    clear() {
      for (const client of clients.splice(0)) client.stop();
      localStorage.clear();
    },
    create(options = {}, user_id = "ada") {
      const user = { user_id, organization_role: "owner" };
      const identity = { worker_id: "w1", organization_id: "o1", workspace_id: "s1", user };
      const url = \`ws://\${location.host}/ws\`;
      globalThis.client = new Client({ url, identity, storage: localStorage, ...options });
      clients.push(client);
      return client;
    },
    until(target, type, condition) {
      return new Promise((resolve) => {
        const check = () => {
          if (!condition()) return;
          target.removeEventListener(type, check);
          resolve();
        };
        target.addEventListener(type, check);
        check();
      });
    },
    settled: (conversation) => until(conversation, "change", () =>
      conversation.outbox.length === 0 && conversation.runs.size > 0 && conversation.running.length === 0),
    texts: (conversation, actor) => conversation.events
      .filter((event) => event.actor === actor && event.type === "message")
      .map(({ content }) => content.map(({ text }) => text).join("")),
    seqs: (conversation) => conversation.events.map(({ seq }) => seq),
  });
</script>`;

/** The pages with and without `onSocket`, by their hosts. */
const pages = { plain: new Map(), routed: new Map() };

/**
 * Opens a page of a server with the client. Pages are used again, without what they stored.
 *
 * @param {import("playwright-core").Browser} browser
 * @param {string} host
 * @param {(socket: import("playwright-core").WebSocketRoute) => void} [onSocket] sits between the page and the server
 */
export async function openClient(browser, host, onSocket) {
  const known = pages[onSocket ? "routed" : "plain"];
  if (!known.has(host) || known.get(host).isClosed()) known.set(host, await loadPage(browser, host, onSocket !== undefined));
  const page = known.get(host);
  await page.evaluate(() => clear());
  page.onSocket = onSocket;
  return page;
}

/** Loads the page of a server, whose sockets `page.onSocket` handles if they are routed. */
async function loadPage(browser, host, isRouted) {
  const page = await browser.newPage();
  page.errors = [];
  page.on("pageerror", (error) => page.errors.push(error));
  await page.route(`**${served}**`, async (route) => {
    const path = new URL(route.request().url()).pathname.slice(served.length);
    if (path === "") return route.fulfill({ body: document, contentType: "text/html" });
    const body = await readFile(join(root, "dooers/playground", path), "utf8");
    return route.fulfill({ body, contentType: "text/javascript" });
  });
  if (isRouted) await page.routeWebSocket("**", (socket) => page.onSocket(socket));
  await page.goto(`http://${host}${served}`);
  return page;
}

/** Answers a frame of the page as a server does that accepts everything, and stores nothing. */
export function accept(socket, text) {
  const { id } = JSON.parse(text);
  socket.send(JSON.stringify({ id: "0", type: "ack", payload: { ack_id: id, ok: true } }));
}

/** Refuses a frame of the page. */
export function refuse(socket, text, error) {
  const { id } = JSON.parse(text);
  socket.send(JSON.stringify({ id: "0", type: "ack", payload: { ack_id: id, ok: false, error } }));
}

/** The numbers from 1 to `last`. */
export const upTo = (last) => Array.from({ length: last }, (_, index) => index + 1);
