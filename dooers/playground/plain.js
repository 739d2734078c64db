/** Texts of others that cannot reorder the text around them. */

const REORDERING = /[\u202a-\u202e\u2066-\u2069]/g;

/** @param {string} character */
const nameOf = (character) => `U+${character.charCodeAt(0).toString(16).toUpperCase()}`;

/**
 * A text in which embeddings and overrides of the direction are visible. Isolates are removed: the page isolates each
 * text itself.
 *
 * @param {unknown} text
 */
export function plain(text) {
  // JSON may have an object in place of any text, also one that cannot become a text.
  const string = typeof text === "object" && text !== null ? JSON.stringify(text) : String(text ?? "");
  return string.replace(REORDERING, (c) => (c < "\u2066" ? `[${nameOf(c)}]` : ""));
}

/**
 * JSON in which these characters are escaped.
 *
 * @param {string} json
 */
export function plainJson(json) {
  return json.replace(REORDERING, (c) => `\\u${c.charCodeAt(0).toString(16)}`);
}
