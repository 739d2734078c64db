/** Texts of others made harmless: characters that reorder the text around them, and addresses. */

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
  return String(text ?? "").replace(REORDERING, (c) => (c < "\u2066" ? `[${nameOf(c)}]` : ""));
}

/**
 * JSON in which these characters are escaped.
 *
 * @param {string} json
 */
export function plainJson(json) {
  return json.replace(REORDERING, (c) => `\\u${c.charCodeAt(0).toString(16)}`);
}

/**
 * The URL that a link may open, or null.
 *
 * @param {unknown} url
 */
export function linkUrl(url) {
  return allowed(url, (parsed) => ["http:", "https:", "mailto:"].includes(parsed.protocol));
}

/**
 * The URL that an image or a sound may have, or null.
 *
 * @param {unknown} url
 * @param {"image" | "audio"} kind
 */
export function mediaUrl(url, kind) {
  return allowed(url, ({ protocol, pathname, origin }) =>
    protocol === "https:" || protocol === "blob:" || origin === location.origin
      || (protocol === "data:" && pathname.toLowerCase().startsWith(`${kind}/`)));
}

/**
 * @param {unknown} url
 * @param {(parsed: URL) => boolean} accepts
 */
function allowed(url, accepts) {
  if (typeof url !== "string" || !URL.canParse(url)) return null;
  const parsed = new URL(url);
  return accepts(parsed) ? parsed.href : null;
}
