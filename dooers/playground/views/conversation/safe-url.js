/** Addresses of others that a page may open or load. */

/**
 * The URL that a link may open, or null. The user name of `https://bank.example@other.example` looks like a host, so an
 * address with one is no link.
 *
 * @param {unknown} url
 */
export function linkUrl(url) {
  return allowed(url, ({ protocol, username, password }) =>
    ["http:", "https:", "mailto:"].includes(protocol) && !username && !password);
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
