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
      <button class="button quiet square" type="button" aria-label="Hide the list of conversations" onClick=${() => showSidebar(false)}>
        <${Icon} name=${isDrawer ? "close" : "sidebar"} />
      </button>
    </div>
    <div class="sidebar-actions">
      <button class="button wide" type="button" onClick=${newConversation}><${Icon} name="add" />New conversation</button>
    </div>
    <${ThreadList} />
  </nav>`;
}
