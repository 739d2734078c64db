/** The deletion of a conversation from the list. */

import { deleteThread } from "../../state/commands.js";
import { useState } from "../../ui.js";

/** @typedef {import("../../client.js").Thread} Thread */

/**
 * Asks before a thread is deleted. The focus moves to the row that takes its place.
 *
 * @param {{current: HTMLElement | null}} scroller
 * @param {Thread[]} threads
 */
export function useThreadDeletion(scroller, threads) {
  const [asked, ask] = useState(/** @type {Thread | null} */ (null));
  const confirm = async () => {
    if (!asked) return;
    const at = threads.findIndex(({ id }) => id === asked.id);
    const neighbour = threads[at + 1] ?? threads[at - 1];
    await deleteThread(asked.id);
    requestAnimationFrame(() => {
      if (document.activeElement && document.activeElement !== document.body) return;
      const row = neighbour && scroller.current?.querySelector(`[data-id="${CSS.escape(neighbour.id)}"] a`);
      const next = row ?? document.getElementById("thread-search");
      if (next instanceof HTMLElement) next.focus();
    });
  };
  return { asked, ask, confirm, close: () => ask(null) };
}
