/** Errors of requests, and the repetition of requests that the server refused for now. */

/** A refusal by the server: an `ack` with `ok: false`. */
export class ServerError extends Error {
  /** @param {{code?: string, message?: string, retry_after_ms?: number | null} | null} [error] */
  constructor(error) {
    super(error?.message || error?.code || "the server refused the request");
    this.name = "ServerError";
    this.code = error?.code ?? "";
    /** The time after which the request may be repeated. */
    this.retryAfterMs = error?.retry_after_ms ?? undefined;
  }
}

/** The connection was lost, or the client was stopped, before the answer arrived. */
export class ConnectionLost extends Error {
  /**
   * @param {string} [message]
   * @param {number} [code] the code with which the socket was closed. With 1013, the message is the server's reason
   */
  constructor(message = "the connection was lost", code) {
    super(message);
    this.name = "ConnectionLost";
    this.code = code;
  }
}

const MOST_REPETITIONS = 5;

/** A longer wait, such as until the end of a daily limit, is reported instead. */
const LONGEST_WAIT_MS = 60_000;

/**
 * The time to wait before a refused request is repeated, or null if it should not be repeated.
 *
 * @param {unknown} error
 * @param {number} repetitions how often the request was repeated
 */
export function repeatAfter(error, repetitions) {
  if (!(error instanceof ServerError) || !["RATE_LIMITED", "OVERLOADED"].includes(error.code)) return null;
  const wait = error.retryAfterMs;
  if (wait === undefined || wait > LONGEST_WAIT_MS || repetitions >= MOST_REPETITIONS) return null;
  // Clients that were refused together do not return together.
  return wait + Math.random() * Math.min(wait, 250);
}

/**
 * Performs a request, and repeats it while the server is overloaded or limits the rate.
 *
 * @template T
 * @param {() => Promise<T>} request
 * @returns {Promise<T>}
 */
export async function patiently(request) {
  for (let repetitions = 0; ; repetitions += 1) {
    try {
      return await request();
    } catch (error) {
      const wait = repeatAfter(error, repetitions);
      if (wait === null) throw error;
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
}
