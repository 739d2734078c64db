/** The keyboard shortcuts of the page. */

import { signal } from "../ui.js";
import { load, save } from "./storage.js";

/**
 * @typedef {object} Shortcut
 * @property {string | string[]} keys one key or several: "n", "?", "Alt+ArrowDown", "Mod+k". "Mod" is Command on a Mac
 *   and Control elsewhere.
 * @property {string} label what it does, for the list of shortcuts
 * @property {() => void} run
 */

/** The shortcuts, in the order of their registration. */
export const shortcuts = signal(/** @type {Shortcut[]} */ ([]));

/** Whether single keys are shortcuts. Users of speech input turn them off. */
export const singleKeys = signal(load("local", "single-keys") !== false);

/** @param {boolean} on */
export function useSingleKeys(on) {
  singleKeys.value = on;
  save("local", "single-keys", on);
}

const isMac = /mac|iphone|ipad/i.test(navigator.platform);

/**
 * Adds a shortcut. Returns a function that removes it.
 *
 * @param {Shortcut} shortcut
 */
export function registerShortcut(shortcut) {
  shortcuts.value = [...shortcuts.value, shortcut];
  return () => {
    shortcuts.value = shortcuts.value.filter((other) => other !== shortcut);
  };
}

/**
 * The keys of a shortcut.
 *
 * @param {Shortcut} shortcut
 */
export function keysOf({ keys }) {
  return typeof keys === "string" ? [keys] : keys;
}

/** @type {Record<string, string>} */
const names = { ArrowDown: "↓", ArrowUp: "↑", ArrowLeft: "←", ArrowRight: "→", Escape: "Esc", Mod: isMac ? "⌘" : "Ctrl" };

/**
 * The parts of a combination, as they are printed on keys.
 *
 * @param {string} combination
 */
export function keyNames(combination) {
  return combination.split("+").map((key) => names[key] ?? (key.length === 1 ? key.toUpperCase() : key));
}

/**
 * The modifiers of a pressed key. AltGr, which reports Control and Alt, only selects a sign such as "[".
 *
 * @param {KeyboardEvent} event
 */
function modifiersOf(event) {
  const selects = event.getModifierState("AltGraph");
  return { alt: event.altKey && !selects, ctrl: event.ctrlKey && !selects, meta: event.metaKey };
}

/**
 * @param {string} combination
 * @param {KeyboardEvent} event
 */
function isPressed(combination, event) {
  const parts = combination.split("+");
  const key = parts.pop() ?? "";
  const mod = parts.includes("Mod");
  const { alt, ctrl, meta } = modifiersOf(event);
  // A sign such as "?" needs the Shift key on some keyboards and not on others.
  const isSign = key.length === 1 && !/[a-z]/i.test(key);
  return (
    event.key.toLowerCase() === key.toLowerCase() &&
    alt === parts.includes("Alt") &&
    ctrl === (parts.includes("Ctrl") || (mod && !isMac)) &&
    meta === (mod && isMac) &&
    (isSign || event.shiftKey === parts.includes("Shift"))
  );
}

/** @param {EventTarget | null} target */
function isTyping(target) {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || target.matches("textarea, select, input:not([type=checkbox], [type=radio], [type=button])"))
  );
}

/** Runs shortcuts when their keys are pressed. */
export function listenForShortcuts() {
  addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || document.querySelector("dialog:modal")) return;
    const { alt, ctrl, meta } = modifiersOf(event);
    if (!(alt || ctrl || meta) && (isTyping(event.target) || !singleKeys.value)) return;
    const found = shortcuts.value.find((shortcut) => keysOf(shortcut).some((keys) => isPressed(keys, event)));
    if (!found) return;
    event.preventDefault();
    found.run();
  });
}
