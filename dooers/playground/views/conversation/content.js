/** The content of events as text. */

/**
 * All texts of some content, as they are copied, counted and read aloud.
 *
 * @param {import("../../client.js").ContentPart[] | undefined | null} content
 */
export function textOf(content) {
  const parts = Array.isArray(content) ? content : [];
  return parts.map((part) => (part?.type === "text" && typeof part.text === "string" ? part.text : "")).filter(Boolean).join("\n\n");
}
