/** JSON as text: formatting that keeps every digit, and errors with their position. */

import { closeOf } from "../../state/json-string.js";

/** @typedef {{kind: "name" | "string" | "other", text: string}} Token */

const PLAIN = /[^\s"{}[\],:]+/y;

/** Characters that cannot be seen, or that change the direction of the text after them. Joiners are part of emoji. */
const INVISIBLE = /[\u007f-\u009f\u00ad\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

/** Deeper levels are not indented further. */
const MAX_DEPTH = 60;

/**
 * Formats a valid JSON text with two spaces of indentation. Stops at a number of characters, so that a huge text is not
 * formatted in vain. The text is not parsed: numbers beyond 2^53 stay exact. Invisible characters are written as escapes.
 *
 * @param {string} text
 * @param {number} limit the maximum number of characters of the result
 * @returns {{tokens: Token[], isComplete: boolean}}
 */
export function formatJson(text, limit = Infinity) {
  /** @type {Token[]} */
  const tokens = [];
  /** @type {string[]} */
  const newLines = [];
  let length = 0;
  let depth = 0;
  let at = 0;
  const add = (/** @type {Token["kind"]} */ kind, /** @type {string} */ part) => {
    const last = tokens.at(-1);
    length += part.length;
    if (last && last.kind === kind) last.text += part;
    else tokens.push({ kind, text: part });
  };
  const skipSpace = () => {
    while (at < text.length && text.charCodeAt(at) <= 32) at++;
  };
  const newLine = () => (newLines[depth] ??= `\n${"  ".repeat(Math.min(depth, MAX_DEPTH))}`);
  for (skipSpace(); at < text.length; skipSpace()) {
    if (length > limit) return { tokens: cut(tokens, length - limit), isComplete: false };
    const char = text[at];
    if (char === '"') {
      const part = text.slice(at, closeOf(text, at) + 1);
      at += part.length;
      skipSpace();
      add(text[at] === ":" ? "name" : "string", part.replace(INVISIBLE, escapeOf));
    } else if (char === "{" || char === "[") {
      at++;
      skipSpace();
      if (text[at] === "}" || text[at] === "]") {
        add("other", char + text[at++]);
      } else {
        depth++;
        add("other", char + newLine());
      }
    } else if (char === "}" || char === "]") {
      at++;
      depth = Math.max(0, depth - 1);
      add("other", newLine() + char);
    } else if (char === ",") {
      at++;
      add("other", `,${newLine()}`);
    } else if (char === ":") {
      at++;
      add("other", ": ");
    } else {
      PLAIN.lastIndex = at;
      const part = PLAIN.exec(text)?.[0] ?? char;
      at += part.length;
      add("other", part);
    }
  }
  if (length > limit) return { tokens: cut(tokens, length - limit), isComplete: false };
  return { tokens, isComplete: true };
}

/** @param {string} char */
function escapeOf(char) {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/**
 * Removes characters from the end.
 *
 * @param {Token[]} tokens
 * @param {number} excess
 */
function cut(tokens, excess) {
  let rest = excess;
  while (rest > 0) {
    const last = tokens[tokens.length - 1];
    if (!last) break;
    if (last.text.length > rest) {
      last.text = last.text.slice(0, -rest);
      break;
    }
    rest -= last.text.length;
    tokens.pop();
  }
  return tokens;
}

/** @typedef {{message: string, offset: number, line: number, column: number}} JsonError */

const CHECKED_STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const SCALAR = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.+-])/y;

/**
 * Finds the first error of a JSON text. The messages of browsers differ, and not all of them name a position.
 *
 * @param {string} text
 * @returns {JsonError | null}
 */
export function findJsonError(text) {
  try {
    JSON.parse(text);
    return null;
  } catch {
    // The position follows.
  }
  let at = 0;
  const stack = [];
  /** @type {"value" | "value or ]" | "name" | "name or }" | "colon" | "after"} */
  let expected = "value";
  const error = (/** @type {string} */ message, offset = at) => {
    const lines = text.slice(0, offset).split("\n");
    return { message, offset, line: lines.length, column: lines[lines.length - 1].length + 1 };
  };
  const take = (/** @type {RegExp} */ pattern) => {
    pattern.lastIndex = at;
    if (!pattern.test(text)) return false;
    at = pattern.lastIndex;
    return true;
  };
  for (;;) {
    while (at < text.length && " \t\r\n".includes(text[at])) at++;
    const char = text[at];
    if (expected === "after" && stack.length === 0) {
      return error(char === undefined ? "The text is not valid JSON." : "Nothing may follow the object.");
    }
    if (char === undefined) return error(`The text ends too early: ${missing(expected, stack.at(-1))} is missing.`);
    if (char === '"' && expected !== "colon" && expected !== "after") {
      if (!take(CHECKED_STRING)) return stringError(text, at, error);
      expected = expected.startsWith("name") ? "colon" : "after";
    } else if ((char === "}" && expected === "name or }") || (char === "]" && expected === "value or ]")) {
      at++;
      stack.pop();
      expected = "after";
    } else if (expected.startsWith("value")) {
      if (char === "{" || char === "[") {
        at++;
        stack.push(char);
        expected = char === "{" ? "name or }" : "value or ]";
      } else if (take(SCALAR)) {
        expected = "after";
      } else {
        return error("A value was expected here.");
      }
    } else if (expected === "colon") {
      if (char !== ":") return error("A colon was expected here.");
      at++;
      expected = "value";
    } else if (expected === "after") {
      const isObject = stack.at(-1) === "{";
      if (char === ",") expected = isObject ? "name" : "value";
      else if (char === (isObject ? "}" : "]")) stack.pop();
      else return error(`A comma or ${isObject ? "}" : "]"} was expected here.`);
      at++;
    } else {
      return error("A name in double quotes was expected here.");
    }
  }
}

/**
 * @param {string} expected
 * @param {string | undefined} open
 */
function missing(expected, open) {
  if (expected === "after") return open === "{" ? "}" : "]";
  if (expected === "colon") return "a colon";
  return expected.startsWith("name") ? "a name" : "a value";
}

/**
 * Finds the first wrong character of a string.
 *
 * @param {string} text
 * @param {number} start
 * @param {(message: string, offset: number) => JsonError} error
 */
function stringError(text, start, error) {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === "\\") {
      if (!/^\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/.test(text.slice(at, at + 6))) {
        return error("This escape is not valid.", at);
      }
      at++;
    } else if (text[at] < " ") {
      return error("A line break or control character must be escaped in a string.", at);
    } else if (text[at] === '"') {
      break;
    }
  }
  return error("This string does not end.", start);
}
