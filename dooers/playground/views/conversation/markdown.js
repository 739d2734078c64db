/**
 * Markdown of agents as safe DOM nodes.
 *
 * Only this file makes elements of foreign text. `marked` parses the text, DOMPurify removes everything that is not on
 * the list below, and the result is a fragment, so that no string of HTML leaves this file.
 */

import { Lexer, Marked, Parser } from "../../vendor/marked.js";
import DOMPurify from "../../vendor/purify.js";
import { linkUrl, mediaUrl, plain } from "./safe-text.js";

/** Inline text above this length is not searched for Markdown: some patterns take quadratic time. */
const LONG_INLINE = 16_384;

/** Lists and quotes nest at most this deep. Deeper ones exhaust the stack of the parser. */
const DEEPEST = 24;

const TAGS = ["a", "b", "blockquote", "br", "code", "del", "details", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img",
  "kbd", "li", "mark", "ol", "p", "pre", "s", "strong", "sub", "summary", "sup", "table", "tbody", "td", "th", "thead", "tr",
  "ul"];
const ATTRIBUTES = ["align", "alt", "class", "height", "href", "src", "start", "title", "width"];

/** Elements with a text of their own, which may be written in either direction. */
const TEXTS = "p, li, h1, h2, h3, h4, h5, h6, td, th, blockquote, summary";

/** Tags that a text may contain as HTML, without attributes. */
const PLAIN_TAGS = TAGS.filter((tag) => tag !== "a" && tag !== "img");

const OTHER_TAG = new RegExp(`<(?!/?(?:${PLAIN_TAGS.join("|")})\\s*/?>)`, "gi");

/** @param {string} text */
const escape = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");

const markdown = new Marked({
  gfm: true,
  breaks: true,
  renderer: {
    // Other tags are shown as they were written, so that nothing vanishes.
    html: ({ text }) => text.replace(OTHER_TAG, "&lt;"),
    checkbox: ({ checked }) => (checked ? "\u2611 " : "\u2610 "),
    link({ href, title, tokens }) {
      const text = this.parser.parseInline(tokens);
      if (!linkUrl(href)) return `${text} (${escape(href)})`;
      return `<a href="${escape(href)}"${title ? ` title="${escape(title)}"` : ""}>${text}</a>`;
    },
    image: ({ href, title, text }) => (mediaUrl(href, "image")
      ? `<img src="${escape(href)}" alt="${escape(text)}"${title ? ` title="${escape(title)}"` : ""}>`
      : escape(`${text} (${href})`)),
  },
});

DOMPurify.addHook("afterSanitizeAttributes", (element) => {
  if (element.hasAttribute("class") && !(element.localName === "code" && /^language-\S+$/.test(element.className))) {
    element.removeAttribute("class");
  }
  if (element.localName === "a") {
    const url = linkUrl(element.getAttribute("href"));
    if (url) {
      element.setAttribute("target", "_blank");
      element.setAttribute("rel", "noopener noreferrer");
    } else {
      element.removeAttribute("href");
    }
  }
  if (element.localName === "img") {
    if (mediaUrl(element.getAttribute("src"), "image")) {
      element.setAttribute("loading", "lazy");
      element.setAttribute("referrerpolicy", "no-referrer");
    } else {
      element.remove();
    }
  }
});

/** @typedef {import("../../vendor/marked.js").Token} Block a paragraph, a list, a code block and so on */

/**
 * Splits a text into its blocks. The `raw` texts of all blocks together are the text.
 *
 * @param {string} source a text that `flat` has prepared
 * @returns {{blocks: Block[], hasDefinitions: boolean}} `hasDefinitions`: a block may depend on a later one, which defines a link
 */
export function blocksOf(source) {
  try {
    const lexer = new Lexer(markdown.defaults);
    const tokens = lexer.blockTokens(source, lexer.tokens);
    // The queue grows while it is read.
    for (let next = 0; next < lexer.inlineQueue.length; next += 1) {
      const { src, tokens: inline } = lexer.inlineQueue[next];
      if (src.length > LONG_INLINE) inline.push({ type: "text", raw: src, text: src, escaped: false });
      else lexer.inlineTokens(src, inline);
    }
    return { blocks: tokens, hasDefinitions: Object.keys(lexer.tokens.links).length > 0 };
  } catch {
    return { blocks: [{ type: "code", raw: source, text: source, lang: "" }], hasDefinitions: false };
  }
}

/**
 * The text with line ends as the lexer expects them, and with markers that nest too deep cut off.
 *
 * @param {string} text
 */
export function flat(text) {
  const marker = String.raw`(?:>|[-*+](?=[ \t])|\d{1,9}[.)](?=[ \t]))[ \t]*`;
  return plain(text).replace(/\r\n?/g, "\n")
    .replace(new RegExp(`^((?:[ \\t]*${marker}){${DEEPEST}})(?:${marker})+`, "gm"), "$1");
}

/**
 * Makes the nodes of a block.
 *
 * @param {Block} block
 * @returns {DocumentFragment}
 */
export function nodesOf(block) {
  let dirty;
  try {
    dirty = Parser.parse([block], markdown.defaults);
  } catch {
    dirty = `<pre><code>${escape(block.raw)}</code></pre>`;
  }
  const nodes = DOMPurify.sanitize(dirty, {
    ALLOWED_TAGS: [...TAGS, "#text"],
    ALLOWED_ATTR: ATTRIBUTES,
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    ALLOWED_URI_REGEXP: /^(?:https?:|mailto:|blob:|data:image\/)/i,
    RETURN_DOM_FRAGMENT: true,
  });
  for (const element of nodes.querySelectorAll(TEXTS)) element.setAttribute("dir", "auto");
  return nodes;
}
