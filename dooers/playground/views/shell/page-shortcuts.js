/** The shortcuts of the page. */

import { focusComposer, focusSearch, newConversation, showNeighbour, stopTurns } from "../../state/commands.js";
import { dialog } from "../../state/dialogs.js";
import { showPanel, showSidebar, sidebar, togglePanel } from "../../state/layout.js";
import { registerShortcut } from "../../state/shortcuts.js";
import { nextTheme } from "../../state/theme.js";
import { useEffect } from "../../ui.js";

/** @type {import("../../state/shortcuts.js").Shortcut[]} */
const list = [
  { keys: ["n", "Mod+Shift+o"], label: "New conversation", run: newConversation },
  { keys: ["/", "Mod+k"], label: "Search conversations", run: focusSearch },
  { keys: ["j", "Alt+ArrowDown"], label: "Next conversation", run: () => showNeighbour(1) },
  { keys: ["k", "Alt+ArrowUp"], label: "Previous conversation", run: () => showNeighbour(-1) },
  { keys: "c", label: "Write a message", run: focusComposer },
  { keys: "Mod+.", label: "Stop the answer", run: stopTurns },
  { keys: ["[", "Mod+b"], label: "Show or hide the conversations", run: () => showSidebar(!sidebar.value) },
  { keys: "]", label: "Show or hide the panel", run: togglePanel },
  { keys: "1", label: "Settings", run: () => showPanel("settings") },
  { keys: "2", label: "Analytics", run: () => showPanel("analytics") },
  { keys: "3", label: "Inspector", run: () => showPanel("inspector") },
  { keys: "t", label: "Change the theme", run: nextTheme },
  { keys: ["?", "Mod+/"], label: "Keyboard shortcuts", run: () => (dialog.value = "help") },
];

/** Registers the shortcuts as long as the page has its parts. */
export function PageShortcuts() {
  useEffect(() => {
    const remove = list.map(registerShortcut);
    return () => remove.forEach((one) => one());
  }, []);
  return null;
}
