/**
 * The list of rows. Only the rows near the visible ones are on the page; spacers take the place of the others.
 *
 * The list holds one row in place while others change their height: the last one if the user is at the end, else the first
 * visible one, the anchor.
 */

import { Icon } from "../../icons.js";
import { Component, html } from "../../ui.js";
import { RowView } from "./row.js";

/** @typedef {import("./rows.js").Row} Row */

/**
 * @typedef {object} Props
 * @property {Row[]} rows
 * @property {import("./row.js").View} view
 */

/** Rows on the page before and after the visible ones. */
const AROUND = 40;

/** Fewer rows than this before or after the visible ones: the range moves. */
const NEAR = 12;

/** Maximum number of rows on the page. */
const MOST = 180;

/** The expected height of a row that was never on the page, in pixels. */
const EXPECTED = 72;

/** More events than this are forgotten while the user is at the end, except for the newest ones. */
const MOST_EVENTS = 2_000;
const KEPT_EVENTS = 1_000;

/** The user is at the end within this distance, in pixels. */
const END = 24;

/** @extends {Component<Props>} */
export class MessageList extends Component {
  /** @param {Props} props */
  constructor(props) {
    super(props);
    this.state = { isAtEnd: true, hasNew: false };
    /** @type {Map<string, number>} the measured heights of rows */
    this.heights = new Map();
    /** @type {Map<string, HTMLElement>} the rows on the page */
    this.elements = new Map();
    /** @type {Map<Element, string>} */
    this.keys = new Map();
    /** @type {Map<string, number>} */
    this.positions = new Map();
    /** @type {HTMLElement | null} */
    this.scroller = null;
    /** Whether the end is held in place. */
    this.isStuck = true;
    /** The row that is held in place, and its distance from the top. @type {{key: string, offset: number} | null} */
    this.anchor = null;
    /** @type {{first: string | undefined, size: number}} */
    this.range = { first: undefined, size: 0 };
    this.lastTop = 0;
    this.isLoading = false;
    this.resizes = new ResizeObserver((entries) => {
      for (const { target, borderBoxSize } of entries) {
        const key = this.keys.get(target);
        if (key !== undefined) this.heights.set(key, borderBoxSize[0].blockSize);
      }
      this.settle();
    });
  }

  componentDidMount() {
    if (this.scroller) this.resizes.observe(this.scroller);
    this.settle();
  }

  /** @param {Props} before */
  getSnapshotBeforeUpdate(before) {
    if (before.rows !== this.props.rows && !this.isStuck) this.noteNew(before.rows);
    return this.scroller?.contains(document.activeElement) ?? false;
  }

  /**
   * @param {Props} _before
   * @param {any} _state
   * @param {boolean} hadFocus
   */
  componentDidUpdate(_before, _state, hadFocus) {
    this.settle();
    // The focused row may have left the page.
    if (hadFocus && document.activeElement === document.body) this.scroller?.focus({ preventScroll: true });
    this.forget();
  }

  /** Forgets what is far above the end, and the heights of rows that left the list. */
  forget() {
    const { conversation } = this.props.view;
    if (this.isStuck && conversation.events?.length > MOST_EVENTS) conversation.trim(KEPT_EVENTS);
    if (this.heights.size <= this.positions.size + MOST) return;
    for (const key of this.heights.keys()) if (!this.positions.has(key)) this.heights.delete(key);
  }

  componentWillUnmount() {
    this.resizes.disconnect();
  }

  /** @param {HTMLElement | null} element @param {string} key */
  observe = (element, key) => {
    const old = this.elements.get(key);
    if (element) {
      this.elements.set(key, element);
      this.keys.set(element, key);
      this.resizes.observe(element);
    } else if (old) {
      this.elements.delete(key);
      this.keys.delete(old);
      this.resizes.unobserve(old);
    }
  };

  /** @param {string} key */
  heightOf(key) {
    return this.heights.get(key) ?? EXPECTED;
  }

  /** @param {Row[]} before */
  noteNew(before) {
    const last = (/** @type {Row[]} */ rows) => rows.findLast(({ event }) => event)?.key;
    if (last(this.props.rows) !== last(before) && !this.state.hasNew) this.setState({ hasNew: true });
  }

  /** Moves the scroll position so that what is held in place stays there. */
  settle() {
    const { scroller, anchor } = this;
    if (!scroller) return;
    if (this.isStuck) {
      scroller.scrollTop = scroller.scrollHeight;
    } else if (anchor) {
      const element = this.elements.get(anchor.key);
      const moved = element ? this.offsetOf(element) - anchor.offset : 0;
      if (Math.abs(moved) >= 1) scroller.scrollTop += moved;
    }
    this.lastTop = scroller.scrollTop;
  }

  /** @param {HTMLElement} element */
  offsetOf(element) {
    return element.getBoundingClientRect().top - (this.scroller?.getBoundingClientRect().top ?? 0);
  }

  onScroll = () => {
    const { scroller } = this;
    if (!scroller) return;
    const top = scroller.scrollTop;
    const left = scroller.scrollHeight - scroller.clientHeight - top;
    if (left < END) this.isStuck = true;
    else if (top < this.lastTop - 1) this.isStuck = false;
    this.lastTop = top;
    this.anchor = this.isStuck ? null : this.findAnchor(scroller);
    const isAtEnd = this.isStuck;
    if (isAtEnd !== this.state.isAtEnd || (isAtEnd && this.state.hasNew)) {
      this.setState({ isAtEnd, hasNew: isAtEnd ? false : this.state.hasNew });
    }
    const { first, size } = this.range;
    const chosen = this.choose();
    if (chosen.first !== first || chosen.size !== size) this.setState({});
    this.loadOlder();
  };

  /** @param {HTMLElement} scroller */
  findAnchor(scroller) {
    const edge = scroller.getBoundingClientRect().top;
    for (const row of this.props.rows.slice(this.start, this.start + this.range.size)) {
      const box = this.elements.get(row.key)?.getBoundingClientRect();
      if (box && canHold(row) && box.bottom > edge && box.top < edge + scroller.clientHeight) {
        return { key: row.key, offset: box.top - edge };
      }
    }
    // A spacer is visible, because the user dragged the scroll bar.
    let offset = -scroller.scrollTop;
    for (const row of this.props.rows) {
      const height = this.heightOf(row.key);
      if (offset + height > 0 && canHold(row)) return { key: row.key, offset };
      offset += height;
    }
    return null;
  }

  /**
   * The row to hold in place of an anchor that left the list: the nearest one on the page, or the first one if the whole
   * list was replaced.
   */
  otherAnchor() {
    let nearest = null;
    for (const [key, element] of this.elements) {
      const offset = this.positions.has(key) ? this.offsetOf(element) : Infinity;
      if (Math.abs(offset) < Math.abs(nearest?.offset ?? Infinity)) nearest = { key, offset };
    }
    const first = this.props.rows[0];
    return nearest ?? (first ? { key: first.key, offset: 0 } : null);
  }

  get start() {
    return this.range.first === undefined ? 0 : this.positions.get(this.range.first) ?? 0;
  }

  /** Chooses the rows that are on the page. */
  choose() {
    const { rows } = this.props;
    const all = rows.length;
    const visible = this.scroller?.clientHeight ?? 0;
    let start = this.start;
    let end = this.isStuck ? all : Math.min(start + this.range.size, all);
    if (this.isStuck) {
      if (end - start > MOST || end - start < AROUND) start = Math.max(0, all - 2 * AROUND);
    } else {
      const top = (this.anchor && this.positions.get(this.anchor.key)) ?? Math.max(0, end - 1);
      let bottom = top;
      for (let height = this.anchor?.offset ?? 0; bottom < all && height < visible; bottom += 1) {
        height += this.heightOf(rows[bottom].key);
      }
      const isNear = (start > 0 && top - start < NEAR) || (end < all && end - bottom < NEAR);
      if (isNear || end - start > MOST || top < start || top >= end) {
        start = Math.max(0, top - AROUND);
        end = Math.min(all, Math.max(bottom + AROUND, start + 2 * AROUND), start + MOST);
      }
    }
    return { first: rows[start]?.key, size: end - start };
  }

  async loadOlder() {
    const { conversation } = this.props.view;
    const isNear = this.scroller && this.scroller.scrollTop < 3 * this.scroller.clientHeight;
    if (!isNear || this.isStuck || this.isLoading || !conversation.hasMore) return;
    this.isLoading = true;
    this.setState({});
    try {
      await conversation.loadOlder();
      // Rows without height leave the list where it is.
      requestAnimationFrame(() => this.loadOlder());
    } catch {
      // The next scroll tries again.
    }
    this.isLoading = false;
    this.setState({});
  }

  toEnd = () => {
    this.isStuck = true;
    this.anchor = null;
    this.setState({ isAtEnd: true, hasNew: false });
  };

  /** @param {Props} props @param {{isAtEnd: boolean, hasNew: boolean}} state */
  render({ rows, view }, { isAtEnd, hasNew }) {
    this.positions = new Map(rows.map(({ key }, position) => [key, position]));
    if (this.anchor && !this.positions.has(this.anchor.key)) this.anchor = this.otherAnchor();
    this.range = this.choose();
    const { start } = this;
    const end = start + this.range.size;
    return html`<div class="messages">
      <div class="scroller" role="log" aria-label="Messages" aria-live="off" tabindex="0" onScroll=${this.onScroll}
        ref=${(/** @type {HTMLElement | null} */ element) => { this.scroller = element; }}>
        <div class="column">
          ${view.conversation.hasMore && html`<p class="muted older">${this.isLoading ? "Loading earlier messages…" : ""}</p>`}
          <${Spacer} key="spacer before" height=${this.heightBetween(0, start)} />
          ${rows.slice(start, end).map((row) => html`<${RowView} key=${row.key} row=${row} view=${view}
            observe=${this.observe} />`)}
          <${Spacer} key="spacer after" height=${this.heightBetween(end, rows.length)} />
        </div>
      </div>
      ${!isAtEnd && html`<button type="button" class="button to-end" onClick=${this.toEnd}>
        <${Icon} name="down" />${hasNew ? "New messages" : "To the end"}
      </button>`}
    </div>`;
  }

  /** @param {number} from @param {number} to */
  heightBetween(from, to) {
    let height = 0;
    for (let position = from; position < to; position += 1) height += this.heightOf(this.props.rows[position].key);
    return height;
  }
}

/**
 * Whether a row can be the anchor. The name of a day moves to the first event of that day when earlier events are loaded.
 *
 * @param {Row} row
 */
function canHold({ kind }) {
  return kind !== "day";
}

/**
 * Takes the place of rows that are not on the page.
 *
 * @param {{height: number}} props
 */
function Spacer({ height }) {
  // The policy of the page forbids `style` in markup.
  return html`<div class="spacer" aria-hidden="true" ref=${(/** @type {HTMLElement | null} */ element) => {
    if (element) element.style.height = `${height}px`;
  }}></div>`;
}
