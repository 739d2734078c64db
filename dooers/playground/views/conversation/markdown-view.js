/** Markdown on the page: keeps what is shown up to date while the text grows, without parsing all of it again. */

import { mayLoad, media } from "../../state/media.js";
import { html, render, useEffect, useLayoutEffect, useRef, useValue } from "../../ui.js";
import { AskToLoad, focusOn } from "../remote.js";
import { copyText } from "./copy.js";
import { blocksOf, flat, LARGEST, linksOf, nodesOf, textBlock } from "./markdown.js";
import { plain } from "../../plain.js";

/** Time for rendering blocks in one frame of the screen, in milliseconds. */
const BUDGET = 10;

/** A text that takes longer than a moment rests this many times as long before it is parsed again. */
const REST = 4;
const MOMENT = 4;

/** Texts are split into blocks in pieces of this length. A longer block doubles it. */
const PIECE = 8_192;

/**
 * The blocks of one text in an element. The blocks at its beginning are settled: text that is appended does not change them.
 */
class Blocks {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    /** @type {{text: string, streaming: boolean} | undefined} the text to show next */
    this.next = undefined;
    this.source = "";
    this.isStreaming = false;
    /** @type {import("./markdown.js").Links} */
    this.links = {};
    /** The length of the part of `source` whose blocks are settled. */
    this.settled = 0;
    /** @type {import("./markdown.js").Block[]} settled blocks that are not shown yet */
    this.waiting = [];
    /** @type {HTMLElement[]} the elements after those of settled blocks */
    this.tail = [];
    this.frame = 0;
    this.timer = 0;
  }

  /**
   * Shows a text, now or soon.
   *
   * @param {string} text
   * @param {boolean} streaming whether it still grows
   */
  show(text, streaming) {
    this.next = { text, streaming };
    if (!streaming) this.rest(0);
    if (this.timer === 0) this.update();
  }

  update() {
    this.timer = 0;
    if (!this.next) return;
    const { text, streaming } = this.next;
    this.next = undefined;
    const began = performance.now();
    const source = flat(text);
    const links = streaming ? this.links : linksOf(source);
    const hasOtherLinks = Object.keys(links).length !== Object.keys(this.links).length;
    // The last block of a text that did not grow any more is settled, too.
    const isOther = !this.isStreaming && source !== this.source;
    if (hasOtherLinks || isOther || !source.startsWith(this.source.slice(0, this.settled))) {
      this.settled = 0;
      this.waiting = [];
      this.tail = [];
      this.root.replaceChildren();
    }
    this.source = source;
    this.isStreaming = streaming;
    this.links = links;
    this.fill();
    const took = performance.now() - began;
    if (streaming && took > MOMENT) this.rest(took * REST);
  }

  /** Waits before the next update. @param {number} ms */
  rest(ms) {
    clearTimeout(this.timer);
    this.timer = ms > 0 ? window.setTimeout(() => this.update(), ms) : 0;
  }

  /** Shows blocks for a short time, and the rest in later frames. */
  fill() {
    cancelAnimationFrame(this.frame);
    const end = performance.now() + BUDGET;
    for (const element of this.tail.splice(0)) element.remove();
    do {
      const block = this.waiting.shift();
      if (block) this.add(block);
      else if (!this.read()) return;
    } while (performance.now() < end);
    this.frame = requestAnimationFrame(() => this.fill());
  }

  /**
   * Settles the next blocks, or shows the last ones.
   *
   * @returns {boolean} whether there is more
   */
  read() {
    for (let size = PIECE; ; size *= 2) {
      const isEnd = this.settled + size >= this.source.length;
      const blocks = blocksOf(this.source.slice(this.settled, this.settled + size), this.links);
      // Text that follows may belong to the last block, even after blank lines.
      const open = isEnd && !this.isStreaming ? blocks.length : blocks.findLastIndex(({ token }) => token.type !== "space");
      const closed = blocks.slice(0, Math.max(open, 0));
      if (closed.length > 0) {
        this.settled += closed.reduce((all, { token }) => all + token.raw.length, 0);
        this.waiting.push(...closed.filter(isShown));
        return true;
      }
      if (size > LARGEST && blocks[0].token.type !== "code") {
        const end = this.source.lastIndexOf("\n", this.settled + size - 1) + 1;
        const cut = end > this.settled ? end : this.settled + size;
        this.waiting.push(textBlock(this.source.slice(this.settled, cut)));
        this.settled = Math.min(cut, this.source.length);
        return true;
      }
      if (isEnd) {
        for (const block of blocks.filter(isShown)) this.tail.push(this.add(block));
        return false;
      }
    }
  }

  /** @param {import("./markdown.js").Block} block */
  add(block) {
    const element = document.createElement("div");
    element.className = "block";
    element.append(nodesOf(block));
    decorate(element);
    this.root.append(element);
    return element;
  }

  /** Shows the images that the user has allowed in the meantime. */
  reveal() {
    for (const question of this.root.querySelectorAll(".remote")) {
      const image = images.get(question);
      const url = image?.dataset.src;
      if (!image || !url || !mayLoad(url)) continue;
      const hadFocus = question.contains(document.activeElement);
      image.src = url;
      question.replaceWith(image);
      if (hadFocus) focusOn(image);
    }
  }

  stop() {
    clearTimeout(this.timer);
    cancelAnimationFrame(this.frame);
  }
}

/** @param {import("./markdown.js").Block} block */
const isShown = ({ token }) => token.type !== "space" && token.type !== "def";

/** The images that are not loaded, by the questions in their places. @type {WeakMap<Element, HTMLImageElement>} */
const images = new WeakMap();

/**
 * Adds what the text cannot contain itself: copy buttons, frames around wide tables, questions in place of images of other
 * hosts, replacements of broken images.
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
    const { src: url } = image.dataset;
    if (!url) continue;
    const question = document.createElement("span");
    question.className = "remote";
    images.set(question, image);
    image.replaceWith(question);
    render(html`<${AskToLoad} url=${url} kind="image" name=${image.alt} />`, question);
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
  const allowed = useValue(media);
  useLayoutEffect(() => blocks.current?.reveal(), [allowed]);
  useEffect(() => () => blocks.current?.stop(), []);
  return html`<div class=${streaming ? "markdown streaming" : "markdown"} ref=${root}></div>`;
}
