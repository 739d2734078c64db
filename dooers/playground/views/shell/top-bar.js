/** The bar above the conversation. */

import { Icon } from "../../icons.js";
import { canRename, renameThread } from "../../state/commands.js";
import { dialog } from "../../state/dialogs.js";
import { identity, identityName } from "../../state/identities.js";
import { panel, showSidebar, sidebar, togglePanel } from "../../state/layout.js";
import { firstWords, knownName, threadName } from "../../state/names.js";
import { agent, connection, conversation, threadId } from "../../state/session.js";
import { nextTheme, theme } from "../../state/theme.js";
import { threadList } from "../../state/threads.js";
import { plain } from "../../plain.js";
import { html, useChanges, useEffect, useRef, useState, useValue } from "../../ui.js";
import { ConnectionState } from "./connection.js";
import { TitleEditor } from "./title-editor.js";

export function TopBar() {
  const hasSidebar = useValue(sidebar);
  const shown = useValue(panel);
  const chosen = useValue(theme);
  const name = identityName(useValue(identity));
  return html`<header class="top-bar">
    <button
      class="button quiet square"
      type="button"
      aria-label="List of conversations"
      title="List of conversations"
      aria-expanded=${hasSidebar}
      onClick=${() => showSidebar(!hasSidebar)}
    >
      <${Icon} name="sidebar" />
    </button>
    <${Title} />
    <${ConnectionState} />
    <button class="button quiet identity-button" type="button" aria-label=${`Identity: ${name}`} aria-haspopup="dialog" onClick=${() => (dialog.value = "identity")}>
      <${Icon} name="user" /><span class="identity-name">${name}</span>
    </button>
    <button class="button quiet square" type="button" aria-label=${`Theme: ${chosen}`} title=${`Theme: ${chosen}`} onClick=${nextTheme}>
      <${Icon} name=${{ system: "theme", light: "sun", dark: "moon" }[chosen]} />
    </button>
    <button class="button quiet square" type="button" aria-label="Help and shortcuts" title="Help and shortcuts" aria-haspopup="dialog" onClick=${() => (dialog.value = "help")}>
      <${Icon} name="help" />
    </button>
    <button
      id="panel-toggle"
      class="button quiet square"
      type="button"
      aria-label="Settings, analytics and inspector"
      title="Settings, analytics and inspector"
      aria-expanded=${shown !== null}
      onClick=${togglePanel}
    >
      <${Icon} name="panel" />
    </button>
  </header>`;
}

/** The title of the shown conversation. */
function Title() {
  const opened = useValue(conversation);
  const id = useValue(threadId);
  const agentName = useValue(agent);
  const list = useValue(threadList);
  useValue(firstWords);
  // Whether titles can be changed depends on the server.
  useValue(connection);
  useChanges(opened);
  useChanges(list);
  const [editedId, edit] = useState(/** @type {string | null} */ (null));
  const button = useRef(/** @type {HTMLButtonElement | null} */ (null));
  // This browser may know the name from another identity, which sees the thread.
  const isMissing = opened?.state === "missing";
  const listed = opened?.thread ?? list?.threads.find((one) => one.id === id) ?? (id ? { id, title: null } : null);
  const thread = isMissing ? null : listed;
  const name = isMissing ? "Not found" : threadName(thread);
  useEffect(() => {
    document.title = plain(`${name} · ${agentName}`);
  }, [name, agentName]);
  if (thread && editedId === thread.id) {
    return html`<${TitleEditor}
      title=${knownName(thread) ?? ""}
      onSave=${(/** @type {string} */ title) => renameThread(thread.id, title)}
      onClose=${() => {
        edit(null);
        requestAnimationFrame(() => {
          if (document.activeElement === document.body) button.current?.focus();
        });
      }}
    />`;
  }
  return html`<div class="title">
    <h1 class=${!knownName(thread) ? "untitled" : ""} dir="auto" title=${name}>${name}</h1>
    ${thread &&
    canRename() &&
    html`<button ref=${button} class="button quiet square" type="button" aria-label="Rename the conversation" title="Rename" onClick=${() => edit(thread.id)}>
      <${Icon} name="edit" />
    </button>`}
  </div>`;
}
