/** The panel of the settings. */

import { html } from "../../ui.js";

export function SettingsPanel() {
  return html`<section class="panel"></section>`;
}
