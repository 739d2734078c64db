/** The server of this page. */

import { signal } from "../ui.js";

/** @typedef {{name: string, description: string, is_default: boolean, has_settings?: boolean}} Agent */
/**
 * @typedef {{phase: "loading"} | {phase: "ready", base: URL, agents: Agent[]} | {phase: "failed", title: string, reason: string}} Server
 */

/** The server and its agents. */
export const server = signal(/** @type {Server} */ ({ phase: "loading" }));

/** A server that does not answer within this time is not there, in milliseconds. */
const LONGEST_WAIT = 15_000;

class NotFound extends Error {
  /**
   * @param {string} title
   * @param {string} reason
   */
  constructor(title, reason) {
    super(reason);
    this.title = title;
  }
}

/**
 * Reads the list of agents from an answer. Members of a wrong type have a default.
 *
 * @param {unknown} answer
 * @returns {Agent[] | undefined}
 */
function agentsOf(answer) {
  const list = /** @type {{agents?: unknown} | null} */ (answer)?.agents;
  if (!Array.isArray(list)) return undefined;
  return list
    .filter((agent) => typeof agent?.name === "string" && agent.name !== "")
    .map((agent) => ({
      ...agent,
      description: typeof agent.description === "string" ? agent.description : "",
      is_default: agent.is_default === true,
    }));
}

/**
 * Finds the server: `agents` beside the page, or in a folder above it if the page is nested.
 *
 * @returns {Promise<{base: URL, agents: Agent[]}>}
 */
async function findServer() {
  let status = 0;
  for (let base = new URL(".", document.baseURI); ; base = new URL("..", base)) {
    let answer;
    try {
      answer = await fetch(new URL("agents", base), {
        headers: { accept: "application/json" },
        signal: AbortSignal.timeout(LONGEST_WAIT),
      });
    } catch {
      throw new NotFound("The server does not answer", `Nothing answers at ${base.host}. Is the worker running?`);
    }
    status = answer.status;
    if (answer.ok && answer.headers.get("content-type")?.startsWith("application/json")) {
      const agents = agentsOf(await answer.json().catch(() => undefined));
      if (agents) return { base, agents };
    }
    if (base.pathname === "/") break;
  }
  throw status >= 500
    ? new NotFound("The server does not answer", `${location.host} answered with the status ${status}. Is the worker running?`)
    : new NotFound(
        "No agents found",
        `${location.host} does not list its agents as JSON (status ${status}). The playground needs a dooers server of the same version.`,
      );
}

/** Reads the agents anew, for example after the server was started again. An error changes nothing. */
export async function refreshAgents() {
  try {
    server.value = { phase: "ready", ...(await findServer()) };
  } catch {
    // The page goes on with the agents that it knows.
  }
}

/** Looks for the server, and stores the result in `server`. */
export async function loadServer() {
  try {
    server.value = { phase: "ready", ...(await findServer()) };
  } catch (error) {
    const { title, message } = /** @type {NotFound} */ (error);
    server.value = { phase: "failed", title: title ?? "The server does not answer", reason: message };
  }
}
