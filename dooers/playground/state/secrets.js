/** Hides secrets in the texts of frames. */

import { closeOf } from "./json-string.js";

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

/** The name `auth_token` with an escape for each of its letters is not longer. */
const LONGEST_NAME = 64;

/** What is between a name and the beginning of the string that it names. */
const COLON = /\s*:\s*(?=")/y;

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
  let masked = "";
  let copied = 0;
  for (let start = text.indexOf('"'); start >= 0; start = text.indexOf('"', start)) {
    const close = closeOf(text, start);
    const name = close - start < LONGEST_NAME ? decoded(text.slice(start + 1, close)) : "";
    COLON.lastIndex = close + 1;
    start = close + 1;
    if (name !== "auth_token" || !COLON.test(text)) continue;
    const value = COLON.lastIndex;
    masked += text.slice(copied, value + 1) + MASK;
    copied = closeOf(text, value);
    start = copied + 1;
  }
  return masked + text.slice(copied);
}

/** @param {string} name */
function decoded(name) {
  return name.replace(/\\u([0-9a-fA-F]{4})/g, (_, code) => String.fromCharCode(parseInt(code, 16)));
}
