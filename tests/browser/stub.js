/** The playground at a server that exists only in the test: it serves the files, and answers as the test says. */

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { wide } from "./playground.js";
import { root } from "./workspace.js";

const types = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };

/** The extensions of a server of this version. */
const capabilities = ["auth.expiring", "event.delta", "run.cancel", "thread.query", "thread.update"];

/**
 * Serves the files of the page, and a list with one agent.
 *
 * @returns {Promise<{host: string, server: import("node:http").Server, stop: () => void}>}
 */
export async function serveFiles() {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    const file = pathname === "/" ? "/index.html" : pathname;
    const isList = pathname === "/agents";
    const body = isList
      ? JSON.stringify({ agents: [{ name: "a", is_default: true }] })
      : await readFile(join(root, "dooers/playground", file)).catch(() => null);
    const type = isList ? "application/json" : types[extname(file)] ?? "text/plain";
    response.writeHead(body ? 200 : 404, { "content-type": type }).end(body);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = () => {
    server.closeAllConnections();
    server.close();
  };
  return { host: `127.0.0.1:${server.address().port}`, server, stop };
}

/**
 * Opens the page at the thread `T`, which has at least one row.
 *
 * @param {import("playwright-core").Browser} browser
 * @param {string} host the address of the files
 * @param {object} snapshot members of `thread.snapshot`, which the test may change
 * @param {object} [options]
 * @param {object | null} [options.about] the `server` in the answer to `connect`
 * @param {object} [options.context] options of the browser's context
 * @param {(page: import("playwright-core").Page) => Promise<void>} [options.prepare] is called before the page is loaded
 * @param {(frame: any, server: {send: Function, socket: import("playwright-core").WebSocketRoute}) => boolean | void}
 *   [options.onFrame] receives the frames of the page. `true` leaves out the usual answer
 * @returns the page. `page.send` sends a frame to it, `page.socket` is its socket, and `page.errors` has what it has thrown
 */
export async function openStub(browser, host, snapshot, options = {}) {
  const { about = { name: "test", version: "1", capabilities }, context: settings, prepare, onFrame } = options;
  const context = await browser.newContext({ viewport: wide, ...settings });
  const page = await context.newPage();
  page.errors = [];
  page.on("pageerror", (error) => page.errors.push(error));
  await page.routeWebSocket("**", (socket) => {
    page.socket = socket;
    const send = (page.send = (type, payload, id = "0") => socket.send(JSON.stringify({ id, type, payload })));
    socket.onMessage((text) => {
      const frame = JSON.parse(text);
      if (onFrame?.(frame, { send, socket })) return;
      const { id, type, payload } = frame;
      if (type === "thread.subscribe") page.send("thread.snapshot", { thread: { id: payload.thread_id }, runs: [], ...snapshot }, id);
      else if (type === "thread.list") page.send("thread.list.result", { threads: [], cursor: null, total_count: 0 }, id);
      else if (type === "ping") page.send("pong", {});
      else page.send("ack", { ack_id: id, ok: true, ...(about && { server: about }) });
    });
  });
  await prepare?.(page);
  await page.goto(`http://${host}/#/a/T`);
  // The log of frames has rows, too.
  await page.waitForSelector(".conversation .row");
  return page;
}

const time = "2026-02-11T10:00:00Z";

/** An event of the thread. */
export const event = (seq, more) => ({ id: `e${seq}`, seq, type: "message", actor: "assistant", created_at: time, content: [], ...more });

/** A message of the agent. */
export const said = (seq, text, more) => event(seq, { content: [{ type: "text", text }], ...more });
