/** Hides secrets in the texts of frames. */

/** Secrets that the user entered in this tab, as they are written in JSON. @type {Set<string>} */
const secrets = new Set();

/** Shorter texts occur by chance. */
const MIN_LENGTH = 4;

/**
 * Hides a text in the frames that are shown and exported from now on.
 *
 * @param {string} text
 */
export function conceal(text) {
  if (text.length >= MIN_LENGTH) secrets.add(JSON.stringify(text).slice(1, -1));
}

const MASK = "••••••••";

/** A string, with the string that it names. */
const NAMED_STRING = /"([^"\\]*(?:\\.[^"\\]*)*)"(?:(\s*:\s*)"[^"\\]*(?:\\.[^"\\]*)*("|$))?/gs;

/**
 * Replaces the concealed texts and the value of each member `auth_token`, also in a text that is not valid JSON.
 *
 * @param {string} text
 */
export function maskSecrets(text) {
  let masked = maskTokens(text);
  for (const secret of secrets) masked = masked.replaceAll(secret, MASK);
  return masked;
}

/** @param {string} text */
function maskTokens(text) {
  // The name may be written with escapes.
  if (!text.includes("auth_token") && !text.includes("\\u00")) return text;
  return text.replace(NAMED_STRING, (match, name, colon, end) =>
    colon && decoded(name) === "auth_token" ? `"${name}"${colon}"${MASK}${end}` : match,
  );
}

/** @param {string} name */
function decoded(name) {
  return name.replace(/\\u([0-9a-fA-F]{4})/g, (_, code) => String.fromCharCode(parseInt(code, 16)));
}
