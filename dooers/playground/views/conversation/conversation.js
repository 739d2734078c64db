/** The conversation. */

import { html } from "../../ui.js";

export function Conversation() {
  return html`<section class="conversation"></section>`;
}
