/** The session of this tab: which agent, as whom, and the client that talks to it. */

import { Client } from "../client.js";
import { batch, computed, signal } from "../ui.js";
import { announce } from "./announce.js";
import { identity } from "./identities.js";
import { panel } from "./layout.js";
import { learnName } from "./names.js";
import { parseRoute, routeHash } from "./route.js";
import { loadServer, refreshAgents, server } from "./server.js";
import { localArea } from "./storage.js";
import { toast } from "./toasts.js";

/** @typedef {import("./server.js").Agent} Agent */
/** @typedef {import("./identities.js").Identity} Identity */
/** @typedef {import("./layout.js").Panel} Panel */
/** @typedef {Client["state"]} Connection */

export { announce, identity, panel };

/** The agents of the server. */
export const agents = computed(() => (server.value.phase === "ready" ? server.value.agents : []));

/** The name of the chosen agent. */
export const agent = signal(/** @type {string | null} */ (null));

/** The client of the chosen agent. */
export const client = signal(/** @type {Client | null} */ (null));

/** The state of the connection. */
export const connection = signal(/** @type {Connection} */ ({ phase: "stopped" }));

/** When the identity of the connection expires, if that is soon. */
export const expiresAt = signal(/** @type {string | null} */ (null));

/** The thread that is shown, or null for a new one. */
export const threadId = signal(/** @type {string | null} */ (null));

/** The conversation that is shown. */
export const conversation = signal(/** @type {import("../client.js").Conversation | null} */ (null));

/**
 * Shows a thread of the chosen agent, or a new conversation.
 *
 * @param {string | null} id
 */
export function showThread(id) {
  if (agent.value) navigate(agent.value, id);
}

/**
 * Goes to an agent and a thread of it.
 *
 * @param {string} name
 * @param {string | null} [id]
 */
export function navigate(name, id) {
  const hash = routeHash(name, id);
  if (location.hash !== hash) history.pushState(null, "", hash);
  follow();
}

/** Shows what the address names. */
function follow() {
  const known = agents.value;
  const fallback = known.find(({ is_default }) => is_default) ?? known[0];
  if (!fallback) return;
  const route = parseRoute(location.hash);
  const found = known.find(({ name }) => name === route.agent);
  if (!found) {
    if (route.agent) toast(`This server has no agent “${route.agent}”.`, "error");
    history.replaceState(null, "", routeHash(fallback.name));
    return follow();
  }
  if (!client.value || agent.value !== found.name) connect(found.name, route.threadId);
  else if (threadId.value !== route.threadId) openThread(client.value, route.threadId);
}

/**
 * Connects to an agent, as the identity of this tab.
 *
 * @param {string} name
 * @param {string | null} id the thread to show
 */
function connect(name, id) {
  if (server.value.phase !== "ready") return;
  client.value?.stop();
  const url = new URL(`agents/${encodeURIComponent(name)}/ws`, server.value.base);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  const { worker_id, organization_id, workspace_id, user, token } = identity.value;
  const made = new Client({
    url: url.href,
    identity: { worker_id, organization_id, workspace_id, user },
    token: token || undefined,
    storage: localArea,
    name: { name: "playground", version: "1" },
  });
  made.addEventListener("state", () => {
    if (client.value !== made) return;
    connection.value = { ...made.state };
    // The server announces it again on the next connection.
    if (made.state.phase !== "connected") expiresAt.value = null;
  });
  made.addEventListener("expiring", (event) => {
    if (client.value === made) expiresAt.value = /** @type {CustomEvent} */ (event).detail.expires_at;
  });
  let wasConnected = false;
  made.addEventListener("resync", () => {
    if (wasConnected && client.value === made) void refreshAgents();
    wasConnected = true;
  });
  batch(() => {
    agent.value = name;
    client.value = made;
    expiresAt.value = null;
    connection.value = { ...made.state };
    openThread(made, id);
  });
  made.start();
}

/**
 * Opens a thread in place of the shown one.
 *
 * @param {Client} opener
 * @param {string | null} id
 */
function openThread(opener, id) {
  const previous = conversation.value;
  const opened = opener.open(id);
  opened.addEventListener("change", () => {
    learnName(opened);
    if (conversation.value === opened) followCreated(opened);
  });
  batch(() => {
    threadId.value = id;
    conversation.value = opened;
  });
  previous?.close();
}

/**
 * Names the thread in the address after its first message has created it. The view stays as it is.
 *
 * @param {import("../client.js").Conversation} opened
 */
function followCreated(opened) {
  if (!agent.value || !opened.threadId || opened.threadId === threadId.value) return;
  threadId.value = opened.threadId;
  history.replaceState(null, "", routeHash(agent.value, opened.threadId));
}

/** Connects again, as an identity that has changed. The thread stays if the new identity may see it. */
export function reconnectAs() {
  if (!agent.value) return;
  connect(agent.value, threadId.value);
  const opened = conversation.value;
  opened?.addEventListener("change", () => {
    if (opened === conversation.value && opened.state === "missing") showThread(null);
  });
}

/**
 * Sends a new token on the same connection.
 *
 * @param {string} token
 */
export async function renewToken(token) {
  await client.value?.renew(token);
  expiresAt.value = null;
}

/** Finds the server and shows what the address names. */
export async function start() {
  await loadServer();
  follow();
}

/** Starts the session. */
export function startSession() {
  addEventListener("hashchange", follow);
  return start();
}
