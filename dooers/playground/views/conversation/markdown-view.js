/** Markdown on the page: keeps what is shown up to date while the text grows, without parsing all of it again. */

import { html, useEffect, useLayoutEffect, useRef } from "../../ui.js";
import { copyText } from "./copy.js";
import { blocksOf, flat, nodesOf } from "./markdown.js";
import { plain } from "./safe-text.js";

/** Time for rendering blocks in one frame of the screen, in milliseconds. */
const BUDGET = 10;

/** A text that is parsed for longer than a moment waits this many times as long before it is parsed again. */
const REST = 4;

/** The blocks of one text in an element. */
class Blocks {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.text = "";
    this.source = "";
    /** The length of the part of `source` that cannot change any more. */
    this.settled = 0;
    /** @type {HTMLElement[]} one element per block; undecided blocks are at the end */
    this.elements = [];
    /** The number of elements whose blocks are settled. */
    this.fixed = 0;
    /** @type {import("./markdown.js").Block[]} blocks that are not shown yet */
    this.waiting = [];
    /** @type {import("./markdown.js").Block[]} the blocks after those, which may still change */
    this.tail = [];
    this.frame = 0;
    this.timer = 0;
    this.hasDefinitions = false;
  }

  /**
   * Shows a text, now or soon.
   *
   * @param {string} text
   * @param {boolean} streaming whether it still grows
   */
  show(text, streaming) {
    this.next = { text, streaming };
    if (!streaming) clearTimeout(this.timer);
    if (this.timer === 0 || !streaming) this.update();
  }

  update() {
    this.timer = 0;
    if (!this.next) return;
    const { text, streaming } = this.next;
    this.next = undefined;
    const began = performance.now();
    this.parse(text, streaming);
    const took = performance.now() - began;
    if (streaming && took > 4) this.timer = window.setTimeout(() => this.update(), took * REST);
  }

  /**
   * @param {string} text
   * @param {boolean} streaming
   */
  parse(text, streaming) {
    const grew = text.startsWith(this.text) && (streaming || !this.hasDefinitions);
    this.text = text;
    const source = flat(text);
    if (!grew || !source.startsWith(this.source.slice(0, this.settled))) {
      this.settled = 0;
      this.fixed = 0;
      this.waiting = [];
    }
    this.source = source;
    const { blocks, hasDefinitions } = blocksOf(source.slice(this.settled));
    this.hasDefinitions ||= hasDefinitions;
    let open = blocks.length;
    if (streaming) {
      // The last block may grow, and so may blank lines after it.
      open = blocks.findLastIndex(({ type }) => type !== "space");
    }
    this.truncate();
    const closed = blocks.slice(0, Math.max(open, 0));
    this.settled += closed.reduce((all, { raw }) => all + raw.length, 0);
    this.waiting.push(...closed.filter(isShown));
    this.tail = blocks.slice(closed.length).filter(isShown);
    this.fill();
  }

  /** Removes the elements of blocks that were not settled. */
  truncate() {
    for (const element of this.elements.splice(this.fixed)) element.remove();
  }

  /** Shows waiting blocks for a short time, and the rest in later frames. */
  fill() {
    cancelAnimationFrame(this.frame);
    const end = performance.now() + BUDGET;
    let shown = 0;
    while (shown < this.waiting.length && (shown === 0 || performance.now() < end)) {
      this.add(this.waiting[shown]);
      shown += 1;
    }
    this.waiting.splice(0, shown);
    this.fixed += shown;
    if (this.waiting.length > 0) {
      this.frame = requestAnimationFrame(() => this.fill());
    } else {
      for (const block of this.tail) this.add(block);
      this.tail = [];
    }
  }

  /** @param {import("./markdown.js").Block} block */
  add(block) {
    const element = document.createElement("div");
    element.className = "block";
    element.append(nodesOf(block));
    decorate(element);
    this.root.append(element);
    this.elements.push(element);
  }

  stop() {
    clearTimeout(this.timer);
    cancelAnimationFrame(this.frame);
  }
}

/** @param {import("./markdown.js").Block} block */
const isShown = ({ type }) => type !== "space" && type !== "def";

/**
 * Adds what the text cannot contain itself: copy buttons, frames around wide tables, replacements of broken images.
 *
 * @param {HTMLElement} element
 */
function decorate(element) {
  for (const pre of element.querySelectorAll("pre")) {
    const figure = document.createElement("figure");
    figure.className = "code";
    const bar = document.createElement("figcaption");
    const language = /language-(\S+)/.exec(pre.firstElementChild?.className ?? "")?.[1] ?? "text";
    const label = document.createElement("span");
    label.textContent = language.slice(0, 40);
    const copy = document.createElement("button");
    copy.type = "button";
    copy.className = "button quiet";
    copy.textContent = "Copy";
    copy.setAttribute("aria-label", "Copy code");
    copy.addEventListener("click", () => copyText(pre.textContent ?? "", copy));
    bar.append(label, copy);
    pre.tabIndex = 0;
    pre.setAttribute("aria-label", `Code, ${language.slice(0, 40)}`);
    pre.setAttribute("role", "region");
    pre.replaceWith(figure);
    figure.append(bar, pre);
  }
  for (const table of element.querySelectorAll("table")) {
    const frame = document.createElement("div");
    frame.className = "table";
    frame.tabIndex = 0;
    frame.setAttribute("role", "region");
    frame.setAttribute("aria-label", "Table");
    table.replaceWith(frame);
    frame.append(table);
  }
  for (const image of element.querySelectorAll("img")) {
    image.addEventListener("error", () => {
      const text = document.createElement("span");
      text.className = "broken";
      text.textContent = plain(`Image not available: ${image.alt || shortUrl(image.src)}`);
      image.replaceWith(text);
    });
  }
}

/** @param {string} url */
const shortUrl = (url) => (url.length > 80 ? `${url.slice(0, 80)}…` : url);

/**
 * A text in Markdown.
 *
 * @param {{text: string, streaming?: boolean}} props
 */
export function Markdown({ text, streaming = false }) {
  const root = useRef(/** @type {HTMLDivElement | null} */ (null));
  const blocks = useRef(/** @type {Blocks | null} */ (null));
  useLayoutEffect(() => {
    if (!root.current) return;
    blocks.current ??= new Blocks(root.current);
    blocks.current.show(text, streaming);
  }, [text, streaming]);
  useEffect(() => () => blocks.current?.stop(), []);
  return html`<div class=${streaming ? "markdown streaming" : "markdown"} ref=${root}></div>`;
}
