/** The page. */

import { panel } from "../state/session.js";
import { html, useValue } from "../ui.js";
import { Conversation } from "./conversation/conversation.js";
import { AnalyticsPanel } from "./panels/analytics.js";
import { InspectorPanel } from "./panels/inspector.js";
import { SettingsPanel } from "./panels/settings.js";

const panels = { settings: SettingsPanel, analytics: AnalyticsPanel, inspector: InspectorPanel };

export function App() {
  const shown = useValue(panel);
  return html`<main class="layout">
    <${Conversation} />
    ${shown && html`<${panels[shown]} />`}
  </main>`;
}
