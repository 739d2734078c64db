/** Which parts of the page are shown. Remembered for wide windows; in narrow ones, they open as drawers. */

import { effect, signal } from "../ui.js";
import { load, save } from "./storage.js";

/** @typedef {"settings" | "analytics" | "inspector"} Panel */

/** The names of the panels, in their order. @type {Panel[]} */
export const panelNames = ["settings", "analytics", "inspector"];

/**
 * A signal that follows a media query.
 *
 * @param {string} query
 */
function media(query) {
  const list = matchMedia(query);
  const matches = signal(list.matches);
  list.addEventListener("change", () => (matches.value = list.matches));
  return matches;
}

/** Whether the list of conversations is a drawer. The width is the one in layout.css. */
export const sidebarIsDrawer = media("(max-width: 47.99rem)");

/** Whether the panel is a drawer. The width is the one in layout.css. */
export const panelIsDrawer = media("(max-width: 71.99rem)");

/** Whether the list of conversations is shown. */
export const sidebar = signal(false);

/** The panel that is shown. */
export const panel = signal(/** @type {Panel | null} */ (null));

/** The panel that was shown last. */
let lastPanel = panelNames.find((name) => name === load("local", "panel.last")) ?? "inspector";

/** @param {boolean} shown */
export function showSidebar(shown) {
  sidebar.value = shown;
  if (!sidebarIsDrawer.value) save("local", "sidebar", shown);
}

/** @param {Panel | null} name */
export function showPanel(name) {
  panel.value = name;
  if (!panelIsDrawer.value) save("local", "panel", name);
  if (!name) return;
  lastPanel = name;
  save("local", "panel.last", name);
}

/** Shows the panel that was shown last, or closes the panel. */
export function togglePanel() {
  showPanel(panel.value ? null : lastPanel);
}

// A window that becomes narrow closes its drawers. A wide one shows what was shown last: at first, everything.
effect(() => {
  sidebar.value = !sidebarIsDrawer.value && load("local", "sidebar") !== false;
});
effect(() => {
  const stored = load("local", "panel");
  const remembered = stored === undefined ? lastPanel : (panelNames.find((name) => name === stored) ?? null);
  panel.value = panelIsDrawer.value ? null : remembered;
});
