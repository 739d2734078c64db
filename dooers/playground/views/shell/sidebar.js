/** The left side: agents, search and conversations. */

import { Icon } from "../../icons.js";
import { showSidebar, sidebarIsDrawer } from "../../state/layout.js";
import { newConversation } from "../../state/commands.js";
import { html, useValue } from "../../ui.js";
import { AgentPicker } from "./agent-picker.js";
import { ThreadList } from "./thread-list.js";

export function Sidebar() {
  const isDrawer = useValue(sidebarIsDrawer);
  return html`<nav class="sidebar" aria-label="Conversations">
    <div class="sidebar-head">
      <${AgentPicker} />
      ${isDrawer &&
      html`<button class="button quiet square" type="button" aria-label="Close" onClick=${() => showSidebar(false)}>
        <${Icon} name="close" />
      </button>`}
    </div>
    <div class="sidebar-actions">
      <button class="button wide" type="button" onClick=${newConversation}><${Icon} name="add" />New conversation</button>
    </div>
    <${ThreadList} />
  </nav>`;
}
