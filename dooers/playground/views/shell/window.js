/** The rows of a long list that are near the visible part. Only these are in the document. */

import { useLayoutEffect, useReducer, useRef } from "../../ui.js";

/** Rows above and below the visible ones. */
const margin = 12;
/** The height of a row until one is drawn, in px. */
const guess = 36;

/**
 * Chooses the rows of a list whose rows have equal heights.
 *
 * @param {{current: HTMLElement | null}} scroller the element that scrolls
 * @param {number} count the number of rows
 */
export function useWindow(scroller, count) {
  const container = useRef(/** @type {HTMLElement | null} */ (null));
  const height = useRef(guess);
  const [, update] = useReducer((/** @type {number} */ n) => n + 1, 0);
  const range = rangeOf(scroller.current, container.current, height.current, count);
  const drawn = useRef(range);
  drawn.current = range;

  useLayoutEffect(() => {
    const { current: list } = container;
    if (!list) return;
    const row = /** @type {HTMLElement | null} */ (list.firstElementChild);
    if (row && row.offsetHeight > 0 && Math.abs(row.offsetHeight - height.current) > 0.5) {
      height.current = row.offsetHeight;
      update(undefined);
    }
    list.style.paddingTop = `${range.first * height.current}px`;
    list.style.paddingBottom = `${(count - range.end) * height.current}px`;
  });

  useLayoutEffect(() => {
    const { current: element } = scroller;
    if (!element) return undefined;
    let frame = 0;
    const onMove = () => {
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        const next = rangeOf(element, container.current, height.current, count);
        if (next.first !== drawn.current.first || next.end !== drawn.current.end) update(undefined);
      });
    };
    const sizes = new ResizeObserver(onMove);
    sizes.observe(element);
    element.addEventListener("scroll", onMove, { passive: true });
    return () => {
      cancelAnimationFrame(frame);
      sizes.disconnect();
      element.removeEventListener("scroll", onMove);
    };
  }, [count]);

  /**
   * Scrolls as little as possible until a row is visible.
   *
   * @param {number} index
   */
  const reveal = (index) => {
    const { current: element } = scroller;
    if (!element || !container.current) return;
    const top = container.current.offsetTop + index * height.current;
    const bottom = top + height.current;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (bottom > element.scrollTop + element.clientHeight) element.scrollTop = bottom - element.clientHeight;
  };

  return { container, reveal, ...range };
}

/**
 * @param {HTMLElement | null} scroller
 * @param {HTMLElement | null} container
 * @param {number} height
 * @param {number} count
 */
function rangeOf(scroller, container, height, count) {
  if (!scroller || !container) return { first: 0, end: Math.min(count, 2 * margin) };
  const above = scroller.scrollTop - container.offsetTop;
  // Steps of several rows: most movements draw nothing.
  const first = Math.floor((above / height - margin) / 4) * 4;
  const end = Math.ceil(((above + scroller.clientHeight) / height + margin) / 4) * 4;
  return { first: Math.min(Math.max(first, 0), Math.max(count - 1, 0)), end: Math.max(Math.min(end, count), 0) };
}
