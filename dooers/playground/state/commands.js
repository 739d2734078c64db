/** What buttons and shortcuts do. */

import { ServerError } from "../client.js";
import { showSidebar, sidebarIsDrawer } from "./layout.js";
import { forgetName } from "./names.js";
import { client, conversation, showThread, threadId } from "./session.js";
import { threadList } from "./threads.js";
import { toastError } from "./toasts.js";

/**
 * Sets the focus to an element: now, so that the next key reaches it, and again if it is only now drawn, or drawn anew.
 *
 * @param {string} id
 */
function focusOn(id) {
  const focus = () => {
    const element = document.getElementById(id);
    element?.focus();
    if (element instanceof HTMLInputElement) element.select();
  };
  focus();
  requestAnimationFrame(() => {
    if (document.activeElement?.id !== id) focus();
  });
}

/** Sets the focus to the composer. */
export function focusComposer() {
  focusOn("composer");
}

/** Shows an empty conversation. */
export function newConversation() {
  showThread(null);
  if (sidebarIsDrawer.value) showSidebar(false);
  focusComposer();
}

/**
 * Goes to a neighbour of the shown thread in the list.
 *
 * @param {1 | -1} step 1 for the next older one
 */
export function showNeighbour(step) {
  const threads = threadList.value?.threads ?? [];
  const at = threads.findIndex(({ id }) => id === threadId.value);
  const next = at < 0 ? threads[0] : threads[at + step];
  if (next) showThread(next.id);
  else if (at === 0) showThread(null);
}

/** Sets the focus to the search of conversations. */
export function focusSearch() {
  showSidebar(true);
  focusOn("thread-search");
}

/** Cancels the running turns of the conversation. */
export function stopTurns() {
  if (!client.value?.supports("run.cancel")) return;
  for (const { id } of conversation.value?.running ?? []) {
    client.value?.cancel({ run_id: id }).catch((error) => toastError("The answer was not stopped", error));
  }
}

/**
 * Deletes a thread. Its list shows the change when the server announces it.
 *
 * @param {string} id
 */
export async function deleteThread(id) {
  try {
    await client.value?.deleteThread(id);
  } catch (error) {
    if (error instanceof ServerError && error.code === "NOT_FOUND") threadList.value?.remove(id);
    else return toastError("The conversation was not deleted", error);
  }
  forgetName(id);
  if (threadId.value === id) showThread(null);
}

/**
 * Renames a thread.
 *
 * @param {string} id
 * @param {string} title
 */
export async function renameThread(id, title) {
  try {
    await client.value?.renameThread(id, title);
  } catch (error) {
    toastError("The conversation was not renamed", error);
  }
}

/** Whether the server renames threads. */
export function canRename() {
  return client.value?.supports("thread.update") === true;
}
