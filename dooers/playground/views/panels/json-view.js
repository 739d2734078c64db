/** A JSON text, formatted as far as it is shown. */

import { Icon } from "../../icons.js";
import { announce } from "../../state/session.js";
import { html, useMemo, useRef, useState } from "../../ui.js";
import { formatJson } from "./json.js";
import { sizeOf } from "./numbers.js";

/** The number of characters that are shown at first. */
const FIRST = 10_000;

/** The columns by which a continued line is indented, and the largest indentation. */
const HANG = 2;
const MAX_INDENT = 24;

/** The number of characters of a block. The browser does not lay out blocks that are out of view. */
const BLOCK = 8_000;

/**
 * Shows a JSON text with indentation. A text that is not JSON is shown as it is.
 *
 * @param {{text: string, isJson?: boolean, label?: string}} props
 */
export function JsonView({ text, isJson = true, label = "JSON" }) {
  const area = useRef(/** @type {HTMLPreElement | null} */ (null));
  const [shownText, setShownText] = useState(/** @type {string | null} */ (null));
  const showAll = () => {
    // The button disappears.
    area.current?.focus();
    setShownText(text);
  };
  const isAll = shownText === text;
  const { tokens, isComplete } = useMemo(() => {
    const limit = isAll ? Infinity : FIRST;
    if (isJson) return formatJson(text, limit);
    /** @type {import("./json.js").Token[]} */
    const plain = [{ kind: "other", text: text.slice(0, limit) }];
    return { tokens: plain, isComplete: text.length <= limit };
  }, [text, isJson, isAll]);
  const isLong = isAll && text.length > FIRST;
  return html`<div class="json">
    <pre ref=${area} tabindex="0" role="region" aria-label=${label}>${
      isLong
        ? blocksOf(tokens.map((token) => token.text).join("")).map((block) => html`<span class="block">${block}</span>`)
        : linesOf(tokens).map((line) => html`<${Line} tokens=${line} />`)
    }${!isComplete && "…"}</pre>
    ${
      !isComplete &&
      html`<button class="button quiet" type="button" onClick=${showAll}>
        Show all (${sizeOf(text.length)})
      </button>`
    }
  </div>`;
}

/**
 * A line. If it wraps, it continues below its own indentation.
 *
 * @param {{tokens: import("./json.js").Token[]}} props
 */
function Line({ tokens }) {
  const spaces = /^ */.exec(tokens[0]?.text ?? "")?.[0].length ?? 0;
  const columns = Math.min(spaces, MAX_INDENT) + HANG;
  const style = { paddingInlineStart: `${columns}ch`, textIndent: `-${columns}ch` };
  return html`<span class="line" style=${style}>${tokens.map(({ kind, text }) =>
    kind === "other" ? text : html`<span class=${`json-${kind}`}>${text}</span>`,
  )}</span>`;
}

/**
 * Splits tokens at the ends of lines.
 *
 * @param {import("./json.js").Token[]} tokens
 */
function linesOf(tokens) {
  /** @type {import("./json.js").Token[][]} */
  const lines = [[]];
  for (const { kind, text } of tokens) {
    for (const [index, part] of text.split("\n").entries()) {
      if (index > 0) lines.push([]);
      if (part) lines[lines.length - 1].push({ kind, text: part });
    }
  }
  return lines;
}

/**
 * Splits a text at the ends of lines. Longer lines are split too.
 *
 * @param {string} text
 */
function blocksOf(text) {
  const blocks = [];
  for (let at = 0; at < text.length; ) {
    const end = text.lastIndexOf("\n", at + BLOCK);
    let to = text.length - at <= BLOCK ? text.length : end > at ? end : at + BLOCK;
    // Both halves of a surrogate pair stay together.
    if (/[\ud800-\udbff]/.test(text[to - 1])) to++;
    blocks.push(text.slice(at, to));
    // The block itself breaks the line.
    at = text[to] === "\n" ? to + 1 : to;
  }
  return blocks;
}

/**
 * A button that copies a text.
 *
 * @param {{text: () => string, label?: string}} props
 */
export function CopyButton({ text, label = "Copy" }) {
  const [result, setResult] = useState("");
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text());
      setResult("Copied");
      announce("Copied");
    } catch {
      setResult("Not allowed");
      announce("The browser does not allow to copy");
    }
    setTimeout(() => setResult(""), 1500);
  };
  return html`<button class="button quiet" type="button" onClick=${copy}>
    <${Icon} name=${result === "Copied" ? "check" : "copy"} /> ${result || label}
  </button>`;
}
