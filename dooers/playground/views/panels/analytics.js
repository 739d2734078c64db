/** The panel of the analytics. */

import { html } from "../../ui.js";

export function AnalyticsPanel() {
  return html`<section class="panel"></section>`;
}
