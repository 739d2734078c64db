/** The panel of the inspector. */

import { html } from "../../ui.js";

export function InspectorPanel() {
  return html`<section class="panel"></section>`;
}
