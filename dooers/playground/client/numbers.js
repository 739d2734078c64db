/** Numbers of JSON that JavaScript rounds, such as 9007199254740993. Their texts are kept beside the parsed values. */

/** The texts of rounded numbers, by the object or list that contains them. @type {WeakMap<object, Map<string, string>>} */
const texts = new WeakMap();

/** Texts that may contain such a number. All others are parsed faster. */
const MAY_ROUND = /\d[\d.]{15}|\d[eE][+-]?\d{3,}\s*[,\]}]/;

/**
 * Parses JSON, and keeps the texts of numbers that were rounded for `numberText` and `writeJson`.
 *
 * @param {string} text
 * @returns {any}
 */
export function parseJson(text) {
  return MAY_ROUND.test(text) ? JSON.parse(text, /** @type {any} */ (keepText)) : JSON.parse(text);
}

/**
 * @this {object}
 * @param {string} key
 * @param {unknown} value
 * @param {{source?: string}} [context] browsers from before 2025 do not pass it, and show rounded numbers
 */
function keepText(key, value, context) {
  const source = context?.source;
  if (typeof value === "number" && source !== undefined && isRounded(value, source)) {
    const known = texts.get(this) ?? new Map();
    texts.set(this, known.set(key, source));
  }
  return value;
}

/**
 * The text of a number that was rounded when its frame was parsed, as the server has written it.
 *
 * @param {any} holder the object or list that contains the number
 * @param {string} key the name or the index of the number
 * @returns {string | undefined} undefined if the number is exact
 */
export function numberText(holder, key) {
  return typeof holder === "object" && holder !== null ? texts.get(holder)?.get(key) : undefined;
}

/**
 * Writes JSON in which the rounded numbers of parsed objects have all their digits.
 *
 * @param {unknown} value
 * @param {number} [indentation]
 * @returns {string | undefined}
 */
export function writeJson(value, indentation) {
  return JSON.stringify(value, withTexts, indentation);
}

/** @type {(text: string) => unknown} browsers that pass the sources of numbers also have this function */
const rawJson = /** @type {any} */ (JSON).rawJSON;

/**
 * @this {object}
 * @param {string} key
 * @param {unknown} value
 */
function withTexts(key, value) {
  const text = typeof value === "number" ? numberText(this, key) : undefined;
  return text === undefined ? value : rawJson(text);
}

/**
 * Whether a number has other digits than its text.
 *
 * @param {number} value
 * @param {string} source
 */
function isRounded(value, source) {
  return !Number.isFinite(value) || digitsOf(String(value)) !== digitsOf(source);
}

/** The significant digits of a number. @param {string} number */
function digitsOf(number) {
  return number.replace(/[eE].*$/, "").replace(/[-.]/g, "").replace(/^0+|0+$/g, "");
}
