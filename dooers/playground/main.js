/** The entry of the playground. */

import { html, render } from "./ui.js";
import { startSession } from "./state/session.js";
import { listenForShortcuts } from "./state/shortcuts.js";
import { showUnhandledErrors } from "./state/toasts.js";
import { App } from "./views/app.js";

showUnhandledErrors();
listenForShortcuts();
const root = document.getElementById("app");
if (root) {
  root.replaceChildren();
  render(html`<${App} />`, root);
}
void startSession();
