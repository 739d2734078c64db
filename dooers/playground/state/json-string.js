/** Strings in a JSON text. */

/**
 * Finds the end of a string. A regular expression would need the stack for each escape, of which a text may have millions.
 *
 * @param {string} text
 * @param {number} start the position of the first quote
 * @returns {number} the position of the last quote, or the length of the text if there is none
 */
export function closeOf(text, start) {
  for (let quote = text.indexOf('"', start + 1); quote >= 0; quote = text.indexOf('"', quote + 1)) {
    let before = quote - 1;
    while (text[before] === "\\") before -= 1;
    // An even number of backslashes are escapes of themselves.
    if ((quote - before) % 2 === 1) return quote;
  }
  return text.length;
}
