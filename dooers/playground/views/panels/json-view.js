/** A JSON text, formatted as far as it is shown. */

import { Icon } from "../../icons.js";
import { announce } from "../../state/session.js";
import { html, useMemo, useState } from "../../ui.js";
import { formatJson } from "./json.js";
import { sizeOf } from "./numbers.js";

/** The number of characters that are shown at first. */
const FIRST = 10_000;

/** The number of characters of a block. The browser does not lay out blocks that are out of view. */
const BLOCK = 8_000;

/**
 * Shows a JSON text with indentation. A text that is not JSON is shown as it is.
 *
 * @param {{text: string, isJson?: boolean, label?: string}} props
 */
export function JsonView({ text, isJson = true, label = "JSON" }) {
  const [shownText, showAll] = useState(/** @type {string | null} */ (null));
  const isAll = shownText === text;
  const { tokens, isComplete } = useMemo(() => {
    const limit = isAll ? Infinity : FIRST;
    if (isJson) return formatJson(text, limit);
    return { tokens: [{ kind: "other", text: text.slice(0, limit) }], isComplete: text.length <= limit };
  }, [text, isJson, isAll]);
  const isLong = isAll && text.length > FIRST;
  return html`<div class="json">
    <pre tabindex="0" role="region" aria-label=${label}>${
      isLong
        ? blocksOf(tokens.map((token) => token.text).join("")).map((block) => html`<span class="block">${block}</span>`)
        : tokens.map((token) =>
            token.kind === "other" ? token.text : html`<span class=${`json-${token.kind}`}>${token.text}</span>`,
          )
    }${!isComplete && "…"}</pre>
    ${
      !isComplete &&
      html`<button class="button quiet" type="button" onClick=${() => showAll(text)}>
        Show all (${sizeOf(text.length)})
      </button>`
    }
  </div>`;
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
