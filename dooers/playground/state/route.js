/** The address of the page: `#/AGENT` for a new conversation, `#/AGENT/THREAD_ID` for a thread. */

/** @typedef {{agent: string | null, threadId: string | null}} Route */

/**
 * Decodes a part of the address. A part with a broken escape is taken as it is.
 *
 * @param {string | undefined} part
 */
function decode(part) {
  if (!part) return null;
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/**
 * Reads a route from the hash of an address.
 *
 * @param {string} hash
 * @returns {Route}
 */
export function parseRoute(hash) {
  const [agent, threadId] = hash.replace(/^#?\/?/, "").split("/");
  return { agent: decode(agent), threadId: decode(threadId) };
}

/**
 * Writes a route as the hash of an address.
 *
 * @param {string} agent
 * @param {string | null} [threadId]
 */
export function routeHash(agent, threadId) {
  const parts = threadId ? [agent, threadId] : [agent];
  // Halves of surrogate pairs cannot be encoded.
  return `#/${parts.map((part) => encodeURIComponent(part.replace(/\p{Cs}/gu, "\ufffd"))).join("/")}`;
}
