/** One conversation of the list. */

import { Icon } from "../../icons.js";
import { fullTime, relativeTime } from "../../state/clock.js";
import { canRename, focusComposer, renameThread } from "../../state/commands.js";
import { showSidebar, sidebarIsDrawer } from "../../state/layout.js";
import { knownName } from "../../state/names.js";
import { routeHash } from "../../state/route.js";
import { html, useRef, useState } from "../../ui.js";
import { TitleEditor } from "./title-editor.js";

/** @typedef {import("../../client.js").Thread} Thread */

/**
 * `present` is the time for the age of the conversation, and `count` is -1 if the number of rows is not known.
 *
 * @param {{thread: Thread, agentName: string, present: number, name: string, isUntitled: boolean, isShown: boolean, position: number, count: number,
 *   onDelete: (thread: Thread) => void}} props
 */
export function ThreadRow({ thread, agentName, present, name, isUntitled, isShown, position, count, onDelete }) {
  const root = useRef(/** @type {HTMLLIElement | null} */ (null));
  const [isEdited, edit] = useState(false);
  const time = thread.last_event_at ?? thread.created_at;
  const closeEditor = () => {
    edit(false);
    requestAnimationFrame(() => {
      if (document.activeElement === document.body) root.current?.querySelector("a")?.focus();
    });
  };
  /** @param {MouseEvent} event */
  const onClick = (event) => {
    if (sidebarIsDrawer.value) showSidebar(false);
    // After a click, a person writes. The keyboard goes on through the list.
    else if (event.detail > 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey) focusComposer();
  };
  return html`<li
    ref=${root}
    class=${`thread-row ${isShown ? "selected" : ""}`}
    data-id=${thread.id}
    aria-setsize=${count}
    aria-posinset=${position}
  >
    ${isEdited
      ? html`<${TitleEditor} title=${knownName(thread) ?? ""} onSave=${(/** @type {string} */ title) => renameThread(thread.id, title)} onClose=${closeEditor} />`
      : html`<a
            href=${routeHash(agentName, thread.id)}
            aria-current=${isShown ? "page" : undefined}
            onClick=${onClick}
          >
            <span class=${`thread-name ${isUntitled ? "untitled" : ""}`} dir="auto" title=${name}>${name}</span>
            <time class="muted" datetime=${time} title=${fullTime(time)}>${relativeTime(time, present)}</time>
          </a>
          <span class="thread-actions">
            ${canRename() &&
            html`<button class="button quiet square" type="button" aria-label=${`Rename “${name}”`} title="Rename" onClick=${() => edit(true)}>
              <${Icon} name="edit" />
            </button>`}
            <button class="button quiet square" type="button" aria-label=${`Delete “${name}”`} title="Delete" onClick=${() => onDelete(thread)}>
              <${Icon} name="delete" />
            </button>
          </span>`}
  </li>`;
}
