/** The message that is being written, kept over a reload of this tab. */

/** @typedef {{type: "image" | "audio" | "document", url: string, filename?: string, alt?: string}} Attachment */
/** @typedef {{text: string, pastes: string[], attachments: Attachment[]}} Draft */

/** Maximum size of a frame, in bytes. */
export const LARGEST_FRAME = 256 * 1024;

/** What a frame contains beside the content, in bytes. */
const ENVELOPE = 1024;

/** @param {string} agent @param {string | null} threadId */
const keyOf = (agent, threadId) => `dooers draft ${agent} ${threadId ?? ""}`;

/** @returns {Draft} */
export const emptyDraft = () => ({ text: "", pastes: [], attachments: [] });

/**
 * @param {string} agent
 * @param {string | null} threadId
 * @returns {Draft}
 */
export function loadDraft(agent, threadId) {
  try {
    return { ...emptyDraft(), ...JSON.parse(sessionStorage.getItem(keyOf(agent, threadId)) ?? "{}") };
  } catch {
    return emptyDraft();
  }
}

/**
 * @param {string} agent
 * @param {string | null} threadId
 * @param {Draft} draft
 */
export function saveDraft(agent, threadId, draft) {
  try {
    if (isBlank(draft)) sessionStorage.removeItem(keyOf(agent, threadId));
    else sessionStorage.setItem(keyOf(agent, threadId), JSON.stringify(draft));
  } catch {
    // The storage is full or not allowed: the draft lives as long as the page.
  }
}

/** Whether the server would refuse the message as blank. @param {Draft} draft */
export function isBlank({ text, pastes, attachments }) {
  return attachments.length === 0 && !/[^\s\p{Cc}\p{Cf}]/u.test([text, ...pastes].join(""));
}

/**
 * The content of the message.
 *
 * @param {Draft} draft
 * @returns {import("../../client.js").ContentPart[]}
 */
export function contentOf({ text, pastes, attachments }) {
  const whole = [text.trim(), ...pastes].filter((one) => one !== "").join("\n\n");
  return [...(whole ? [{ type: /** @type {const} */ ("text"), text: whole }] : []), ...attachments];
}

/**
 * The size of the frame that sends a content, in bytes.
 *
 * @param {unknown} content
 */
export function frameSize(content) {
  return new TextEncoder().encode(JSON.stringify(content)).length + ENVELOPE;
}
