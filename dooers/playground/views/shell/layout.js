/** The parts of the page: list of conversations, conversation, panel. */

import { panel, panelIsDrawer, showPanel, showSidebar, sidebar, sidebarIsDrawer } from "../../state/layout.js";
import { conversation } from "../../state/session.js";
import { html, useLayoutEffect, useRef, useValue } from "../../ui.js";
import { Conversation } from "../conversation/conversation.js";
import { Boundary } from "./boundary.js";
import { ConnectionBanner } from "./connection.js";
import { Dialogs } from "./dialogs.js";
import { PageShortcuts } from "./page-shortcuts.js";
import { SidePanel } from "./side-panel.js";
import { Sidebar } from "./sidebar.js";
import { TopBar } from "./top-bar.js";

export function Layout() {
  const hasSidebar = useValue(sidebar);
  const shown = useValue(panel);
  const opened = useValue(conversation);
  const sidebarCovers = useValue(sidebarIsDrawer) && hasSidebar;
  const panelCovers = useValue(panelIsDrawer) && shown !== null;
  const covered = sidebarCovers || panelCovers;
  /** @param {Event} event */
  const toComposer = (event) => {
    event.preventDefault();
    document.getElementById("composer")?.focus();
  };
  return html`
    <a class="skip-link" href="#composer" inert=${covered} onClick=${toComposer}>Skip to the message</a>
    <div class="layout">
      ${hasSidebar &&
      html`<${Drawer} isOpen=${sidebarCovers} isCovered=${panelCovers} onClose=${() => showSidebar(false)}>
        <${Boundary} where="list"><${Sidebar} /><//>
      <//>`}
      <div class="work" inert=${sidebarCovers}>
        <div class="bar-place" inert=${covered}><${Boundary} where="bar"><${TopBar} /><//></div>
        <main class="main" inert=${covered} aria-label="Conversation">
          <${ConnectionBanner} />
          <${Boundary} where="conversation" of=${opened}><${Conversation} /><//>
        </main>
        ${shown &&
        html`<${Drawer} isOpen=${panelCovers} isCovered=${false} onClose=${() => showPanel(null)}>
          <${SidePanel} name=${shown} />
        <//>`}
      </div>
    </div>
    <${Dialogs} />
    <${PageShortcuts} />
  `;
}

/**
 * A part that lies over the others in a narrow window. The others are inert then, so that the focus stays in the drawer.
 *
 * @param {{isOpen: boolean, isCovered: boolean, onClose: () => void, children?: unknown}} props
 */
function Drawer({ isOpen, isCovered, onClose, children }) {
  const element = useRef(/** @type {HTMLDivElement | null} */ (null));
  useLayoutEffect(() => {
    if (!isOpen) return undefined;
    const opener = document.activeElement;
    element.current?.querySelector(/** @type {"button"} */ ("button, a, input"))?.focus();
    return () => {
      // The opener is inert until this change is drawn.
      requestAnimationFrame(() => {
        if (opener instanceof HTMLElement && (!document.activeElement || document.activeElement === document.body)) opener.focus();
      });
    };
  }, [isOpen]);
  /** @param {KeyboardEvent} event */
  const onKeyDown = (event) => {
    // A dialog in the drawer closes first.
    if (event.key !== "Escape" || event.defaultPrevented || document.querySelector("dialog:modal")) return;
    event.preventDefault();
    onClose();
  };
  return html`
    ${isOpen && html`<div class="scrim" onClick=${onClose}></div>`}
    <div ref=${element} class="drawer" inert=${isCovered} onKeyDown=${isOpen ? onKeyDown : undefined}>${children}</div>
  `;
}
