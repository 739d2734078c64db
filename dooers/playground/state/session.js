/** The session of this tab: which agent, as whom, and the client that talks to it. */

import { Client } from "../client.js";
import { signal } from "../ui.js";

/** @typedef {{name: string, description: string, is_default: boolean, has_settings?: boolean}} Agent */
/** @typedef {{worker_id: string, organization_id: string, workspace_id: string, user: import("../client.js").User, token: string}} Identity */
/** @typedef {"settings" | "analytics" | "inspector"} Panel */

/** The agents of the server. */
export const agents = signal(/** @type {Agent[]} */ ([]));

/** The name of the chosen agent. */
export const agent = signal(/** @type {string | null} */ (null));

/** The identity of this tab. */
export const identity = signal(/** @type {Identity} */ ({
  worker_id: "playground",
  organization_id: "local",
  workspace_id: "local",
  user: { user_id: "me", user_name: "Me", organization_role: "owner" },
  token: "",
}));

/** The client of the chosen agent. */
export const client = signal(/** @type {Client | null} */ (null));

/** The thread that is shown, or null for a new one. */
export const threadId = signal(/** @type {string | null} */ (null));

/** The conversation that is shown. */
export const conversation = signal(/** @type {import("../client.js").Conversation | null} */ (null));

/** The panel beside the conversation. */
export const panel = signal(/** @type {Panel | null} */ (null));

/** A text for screen readers. */
export const announcement = signal("");

/**
 * Reads a text to users of a screen reader.
 *
 * @param {string} text
 */
export function announce(text) {
  announcement.value = text;
}

/**
 * Finds the server of this page: `agents` beside the page, or in a folder above it if the page is nested.
 *
 * @returns {Promise<{base: URL, agents: Agent[]}>}
 */
export async function findServer() {
  for (let base = new URL(".", document.baseURI); ; base = new URL("..", base)) {
    const answer = await fetch(new URL("agents", base));
    if (answer.ok && answer.headers.get("content-type")?.startsWith("application/json")) {
      return { base, agents: (await answer.json()).agents };
    }
    if (base.pathname === "/") throw new Error(`${base.host} does not list its agents: it answered ${answer.status}`);
  }
}

/**
 * Connects to an agent.
 *
 * @param {URL} base the address of the server
 * @param {string} name the name of the agent
 */
export function choose(base, name) {
  client.value?.stop();
  const url = new URL(`agents/${name}/ws`, base);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  const { token, ...who } = identity.value;
  const made = new Client({ url: url.href, identity: who, token: token || undefined, storage: localStorage });
  agent.value = name;
  client.value = made;
  conversation.value = made.open(threadId.value);
  made.start();
}

/** Starts the session. */
export async function start() {
  const server = await findServer();
  agents.value = server.agents;
  const first = server.agents.find(({ is_default }) => is_default) ?? server.agents[0];
  if (first) choose(server.base, first.name);
}
