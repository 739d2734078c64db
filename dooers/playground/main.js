/** The entry of the playground. */

import { html, render } from "./ui.js";
import { start } from "./state/session.js";
import { App } from "./views/app.js";

const root = document.getElementById("app");
if (root) render(html`<${App} />`, root);
start();
