/** Parts that fold, and state that survives while a row is out of sight. */

import { html, useReducer } from "../../ui.js";

/** @type {Map<string, unknown>} */
const kept = new Map();

/** Forgets all kept state, because another conversation is shown. */
export function forgetKept() {
  kept.clear();
}

/**
 * State like `useState`, which is kept by its key when the component is removed and made again.
 *
 * @template T
 * @param {string} key
 * @param {T} initial
 * @returns {[T, (value: T) => void]}
 */
export function useKept(key, initial) {
  const [, update] = useReducer((/** @type {number} */ count) => count + 1, 0);
  const value = kept.has(key) ? /** @type {T} */ (kept.get(key)) : initial;
  return [value, (next) => {
    kept.set(key, next);
    update(undefined);
  }];
}

/**
 * A summary that opens. Its content is made when it is open.
 *
 * @param {{id: string, summary: any, content: () => any, className?: string, initial?: boolean}} props
 */
export function Fold({ id, summary, content, className = "", initial = false }) {
  const [isOpen, setOpen] = useKept(`fold ${id}`, initial);
  return html`<details class=${`fold ${className}`} open=${isOpen}
    onToggle=${(/** @type {Event & {currentTarget: HTMLDetailsElement}} */ event) => setOpen(event.currentTarget.open)}>
    <summary>${summary}</summary>
    ${isOpen && html`<div class="content">${content()}</div>`}
  </details>`;
}
