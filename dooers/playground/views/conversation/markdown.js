/**
 * Markdown of agents as safe DOM nodes.
 *
 * Only this file makes elements of foreign text. `marked` parses the text, DOMPurify removes everything that is not on
 * the list below, and the result is a fragment, so that no string of HTML leaves this file.
 */

import { Lexer, Marked, Parser } from "../../vendor/marked.js";
import DOMPurify from "../../vendor/purify.js";
import { plain } from "../../plain.js";
import { mayLoad } from "../../state/media.js";
import { linkUrl, mediaUrl } from "./safe-url.js";

// The parser takes quadratic time for some texts, so its input is limited.

/** A longer text in one block, such as a paragraph, is shown without its Markdown. */
const LONG_INLINE = 16_384;

/** Texts in a block are parsed in pieces of about this length. */
const INLINE_PIECE = 4_096;

/** A piece with more marks of emphasis is shown without its Markdown. */
const MOST_MARKS = 300;

/** A larger block, such as a table, is shown without its Markdown. */
export const LARGEST = 65_536;
const MOST_LINES = 1_000;

/** Maximum number of definitions of links. */
const MOST_LINKS = 500;

/** Lists and quotes nest at most this deep. Deeper ones exhaust the stack of the parser. */
const DEEPEST = 24;

const TAGS = [
  "a", "b", "blockquote", "br", "code", "del", "details", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "kbd", "li",
  "mark", "ol", "p", "pre", "s", "strong", "sub", "summary", "sup", "table", "tbody", "td", "th", "thead", "tr", "ul",
];
const ATTRIBUTES = ["align", "alt", "class", "href", "src", "start", "title"];

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
      if (!linkUrl(href)) return text === escape(href) ? text : `${text} (${escape(href)})`;
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
    const url = mediaUrl(element.getAttribute("src"), "image");
    if (url) {
      // An image without an address loads nothing until the user allows it.
      if (!mayLoad(url)) {
        element.removeAttribute("src");
        element.setAttribute("data-src", url);
      }
      element.setAttribute("loading", "lazy");
      element.setAttribute("referrerpolicy", "no-referrer");
    } else {
      element.remove();
    }
  }
});

/** @typedef {import("../../vendor/marked.js").Links} Links */

/**
 * @typedef {object} Block a paragraph, a list, a code block and so on
 * @property {import("../../vendor/marked.js").Token} token
 * @property {Lexer} lexer
 * @property {Map<object, string>} inline the text of each list of inline tokens that is still empty
 */

/**
 * Splits a text into its blocks, whose raw texts together are the text. The texts in the blocks are not parsed yet.
 *
 * @param {string} source a text that `flat` has prepared
 * @param {Links} links
 * @returns {Block[]}
 */
export function blocksOf(source, links) {
  const lexer = new Lexer(markdown.defaults);
  lexer.tokens.links = links;
  try {
    const tokens = lexer.blockTokens(source, lexer.tokens);
    const inline = new Map(lexer.inlineQueue.map(({ src, tokens: list }) => [list, src]));
    lexer.inlineQueue = [];
    return tokens.map((token) => ({ token, lexer, inline }));
  } catch {
    return [textBlock(source)];
  }
}

/**
 * A block that is shown as it is written.
 *
 * @param {string} text
 * @returns {Block}
 */
export function textBlock(text) {
  return { token: { type: "text", raw: text, text }, lexer: new Lexer(markdown.defaults), inline: new Map() };
}

/** Whether a block would take too long. @param {import("../../vendor/marked.js").Token} token */
function isTooLarge({ type, raw }) {
  if (type === "code") return false;
  const most = type === "paragraph" || type === "text" ? LONG_INLINE : LARGEST;
  return raw.length > most || raw.split("\n", MOST_LINES + 1).length > MOST_LINES;
}

/**
 * The definitions of links in a text. They may come after the links that use them.
 *
 * @param {string} source
 * @returns {Links}
 */
export function linksOf(source) {
  const lines = source.match(/^ {0,3}\[[^\]\n]{1,200}\]:.{1,2000}$/gm)?.slice(0, MOST_LINKS) ?? [];
  const lexer = new Lexer(markdown.defaults);
  if (lines.length > 0) lexer.blockTokens(lines.join("\n"), lexer.tokens);
  return lexer.tokens.links;
}

/**
 * Cuts a long text at the end of a line, a sentence or a word.
 *
 * @param {string} text
 */
function piecesOf(text) {
  const pieces = [];
  let rest = text;
  while (rest.length > INLINE_PIECE) {
    const start = rest.slice(0, INLINE_PIECE);
    const ends = ["\n", ". ", " "].map((mark) => start.lastIndexOf(mark) + mark.length);
    const end = ends.find((at) => at > INLINE_PIECE / 4) ?? INLINE_PIECE;
    pieces.push(rest.slice(0, end));
    rest = rest.slice(end);
  }
  return [...pieces, rest];
}

/**
 * Parses the texts in a block.
 *
 * @param {any} token
 * @param {Block} block
 */
function parseInline(token, block) {
  const lists = [token.tokens, ...[token.header, ...(token.rows ?? [])].flat().map((cell) => cell?.tokens)];
  for (const list of lists) {
    const source = block.inline.get(list);
    if (source !== undefined) {
      block.inline.delete(list);
      const isLong = source.length > LONG_INLINE;
      for (const piece of isLong ? [source] : piecesOf(source)) {
        const isPlain = isLong || (piece.match(/[*_~]/g)?.length ?? 0) > MOST_MARKS;
        if (isPlain) list.push({ type: "text", raw: piece, text: piece, escaped: false });
        else block.lexer.inlineTokens(piece, list);
      }
    } else {
      for (const inner of list ?? []) parseInline(inner, block);
    }
  }
  for (const item of token.items ?? []) parseInline(item, block);
}

const MARKER = String.raw`(?:>|[-*+](?=[ \t])|\d{1,9}[.)](?=[ \t]))`;
const DEEP_MARKERS = new RegExp(`^([ \\t]*(?:${MARKER}[ \\t]*){${DEEPEST}})(?:${MARKER}[ \\t]*)+`, "gm");
const DEEP_INDENT = new RegExp(`^([ \\t]{${2 * DEEPEST}})[ \\t]+(?=${MARKER})`, "gm");

/**
 * The text with line ends as the lexer expects them, and without the levels of lists and quotes that nest too deep.
 *
 * @param {string} text
 */
export function flat(text) {
  return plain(text).replace(/\r\n?/g, "\n").replace(DEEP_MARKERS, "$1").replace(DEEP_INDENT, "$1");
}

/**
 * Makes the nodes of a block.
 *
 * @param {Block} block
 * @returns {DocumentFragment}
 */
export function nodesOf(block) {
  if (isTooLarge(block.token)) return textOf(block.token.raw);
  let dirty;
  try {
    parseInline(block.token, block);
    dirty = Parser.parse([block.token], markdown.defaults);
  } catch {
    return textOf(block.token.raw);
  }
  const nodes = DOMPurify.sanitize(dirty, {
    ALLOWED_TAGS: [...TAGS, "#text"],
    ALLOWED_ATTR: ATTRIBUTES,
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    // The pattern of addresses below applies to all other attributes.
    ADD_URI_SAFE_ATTR: ["align", "start"],
    ALLOWED_URI_REGEXP: /^(?:https?:|mailto:|blob:|data:image\/)/i,
    RETURN_DOM_FRAGMENT: true,
  });
  for (const element of nodes.querySelectorAll(TEXTS)) element.setAttribute("dir", "auto");
  for (const image of nodes.querySelectorAll("a img[data-src]")) moveOut(/** @type {HTMLImageElement} */ (image));
  for (const link of nodes.querySelectorAll("a")) nameHost(link);
  // An entity may stand for a character that reorders the text.
  if (block.token.raw.includes("&")) makePlain(nodes);
  return nodes;
}

/** Puts an image after its link, because a link cannot contain the question. @param {HTMLImageElement} image */
function moveOut(image) {
  const link = image.closest("a");
  image.replaceWith(image.alt || "Image");
  link?.after(image);
}

/** A text that begins with a host, such as `https://example.org/path` and `example.org`. */
const HOST = /^\s*(?:[a-z]+:\/\/)?(?:www\.)?((?:[^\s/?#@:]{1,63}\.){1,8}[^\s/?#@:.]{2,63})(?=$|[\s/?#:])/i;

/**
 * Adds the host of a link whose text names another host, or writes it with letters of another alphabet.
 *
 * @param {HTMLAnchorElement} link
 */
function nameHost(link) {
  const named = HOST.exec(link.textContent ?? "")?.[1].toLowerCase();
  const host = link.hostname.replace(/^www\./, "");
  if (!named || !host || named === host) return;
  const note = document.createElement("span");
  note.className = "muted";
  note.textContent = ` (${host})`;
  link.append(note);
}

/** @param {DocumentFragment} nodes */
function makePlain(nodes) {
  const texts = document.createTreeWalker(nodes, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) texts.currentNode.nodeValue = plain(texts.currentNode.nodeValue);
  for (const element of nodes.querySelectorAll("[alt], [title]")) {
    for (const name of ["alt", "title"]) if (element.hasAttribute(name)) element.setAttribute(name, plain(element.getAttribute(name)));
  }
}

/**
 * A text without Markdown.
 *
 * @param {string} raw
 */
function textOf(raw) {
  const nodes = document.createDocumentFragment();
  const text = document.createElement("p");
  text.className = "as-written";
  text.dir = "auto";
  text.textContent = raw.trimEnd();
  nodes.append(text);
  return nodes;
}
