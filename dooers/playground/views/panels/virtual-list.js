/** A list of many rows of equal height, of which only those in view are in the document. */

import { Icon } from "../../icons.js";
import { html, useEffect, useId, useLayoutEffect, useRef, useState } from "../../ui.js";

/** The height of a row, in rem. Rows in panels.css have the same. */
const ROW_REM = 1.75;

/** Rows above and below the visible ones. */
const OVERSCAN = 10;

/** The maximum number of rows in the document. */
const MAX_ROWS = 180;

/**
 * @template Row
 * @typedef {object} ListProps
 * @property {string} label
 * @property {Row[]} rows
 * @property {(row: Row) => number} keyOf
 * @property {(row: Row) => unknown} render
 * @property {number | null} opened the key of the row whose details are shown
 * @property {(key: number | null) => void} onOpen
 * @property {boolean} [isFollowing] whether the list stays at its end unless it is scrolled up
 * @property {string} [empty] shown if there are no rows
 */

/**
 * A list that is navigated with the arrow keys. Enter opens a row.
 *
 * @template Row
 * @param {ListProps<Row>} props
 */
export function VirtualList({ label, rows, keyOf, render, opened, onOpen, isFollowing = false, empty }) {
  const id = useId();
  const list = useRef(/** @type {HTMLDivElement | null} */ (null));
  const atEnd = useRef(isFollowing);
  const anchor = useRef(/** @type {{key: number, offset: number} | null} */ (null));
  const [scrollTop, setScrollTop] = useState(0);
  const [height, setHeight] = useState(400);
  const [active, setActive] = useState(/** @type {number | null} */ (null));
  const rowHeight = ROW_REM * parseFloat(getComputedStyle(document.documentElement).fontSize);
  const total = rows.length * rowHeight;

  useEffect(() => {
    const element = list.current;
    if (!element) return undefined;
    const observer = new ResizeObserver(() => setHeight(element.clientHeight));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  // Keeps the end, or the row at the top, in its place while rows are added and removed.
  useLayoutEffect(() => {
    const element = list.current;
    if (!element) return;
    if (atEnd.current) {
      element.scrollTop = element.scrollHeight;
    } else if (anchor.current) {
      const { key, offset } = anchor.current;
      const index = rows.findIndex((row) => keyOf(row) === key);
      if (index >= 0) element.scrollTop = index * rowHeight + offset;
    }
  }, [rows, height, rowHeight]);

  const onScroll = () => {
    const element = list.current;
    if (!element) return;
    const top = element.scrollTop;
    atEnd.current = isFollowing && element.scrollHeight - top - element.clientHeight < rowHeight;
    const row = rows[Math.floor(top / rowHeight)];
    anchor.current = row && top > 0 ? { key: keyOf(row), offset: top % rowHeight } : null;
    setScrollTop(top);
  };

  const toEnd = () => {
    const element = list.current;
    if (!element) return;
    atEnd.current = true;
    element.scrollTop = element.scrollHeight;
    element.focus();
    setScrollTop(element.scrollTop);
  };

  const reveal = (/** @type {number} */ index) => {
    const element = list.current;
    if (!element) return;
    const top = index * rowHeight;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + rowHeight > element.scrollTop + height) element.scrollTop = top + rowHeight - height;
    // The event follows later, and rows may change before it.
    onScroll();
  };

  const move = (/** @type {number} */ index) => {
    const row = rows[Math.max(0, Math.min(rows.length - 1, index))];
    if (!row) return;
    const key = keyOf(row);
    setActive(key);
    if (opened !== null) onOpen(key);
    reveal(rows.indexOf(row));
  };

  // The details take a part of the height, and their row stays in view.
  useLayoutEffect(() => {
    const index = opened === null ? -1 : rows.findIndex((row) => keyOf(row) === opened);
    if (index < 0) return;
    // The button at the bottom would cover the last row.
    reveal(Math.min(index + 2, rows.length - 1));
    reveal(index);
  }, [opened, height]);

  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    const found = rows.findIndex((row) => keyOf(row) === active);
    const current = found >= 0 ? found : isFollowing ? rows.length : -1;
    const page = Math.max(1, Math.floor(height / rowHeight) - 1);
    if (event.key === "ArrowDown") move(current + 1);
    else if (event.key === "ArrowUp") move(current - 1);
    else if (event.key === "PageDown") move(current + page);
    else if (event.key === "PageUp") move(current - page);
    else if (event.key === "Home") move(0);
    else if (event.key === "End") move(rows.length - 1);
    else if ((event.key === "Enter" || event.key === " ") && found >= 0) onOpen(active === opened ? null : active);
    else if (event.key === "Escape" && opened !== null) onOpen(null);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  const top = atEnd.current ? Math.max(0, total - height) : Math.min(scrollTop, Math.max(0, total - height));
  const from = Math.max(0, Math.floor(top / rowHeight) - OVERSCAN);
  const to = Math.min(rows.length, from + MAX_ROWS, Math.ceil((top + height) / rowHeight) + OVERSCAN);
  const shown = rows.slice(from, to);
  const activeIsShown = shown.some((row) => keyOf(row) === active);

  return html`<div class="list">${
    rows.length === 0 && empty && html`<p class="muted empty">${empty}</p>`
  }<div
    class="rows"
    role="listbox"
    aria-label=${label}
    aria-activedescendant=${activeIsShown ? `${id}-${active}` : undefined}
    tabindex="0"
    ref=${list}
    onScroll=${onScroll}
    onKeyDown=${onKeyDown}
  >
    <div class="rows-space" style=${{ height: `${total}px` }}>
      <div class="rows-window" style=${{ transform: `translateY(${from * rowHeight}px)` }}>
        ${shown.map((row, index) => {
          const key = keyOf(row);
          return html`<div
            key=${key}
            id=${`${id}-${key}`}
            class=${`row ${key === active ? "active" : ""}`}
            role="option"
            aria-selected=${key === opened}
            aria-setsize=${rows.length}
            aria-posinset=${from + index + 1}
            onClick=${() => {
              setActive(key);
              onOpen(key === opened ? null : key);
            }}
          >${render(row)}</div>`;
        })}
      </div>
    </div>
  </div>
  ${
    isFollowing &&
    !atEnd.current &&
    html`<button class="button latest" type="button" onClick=${toEnd}><${Icon} name="down" /> Latest</button>`
  }</div>`;
}
