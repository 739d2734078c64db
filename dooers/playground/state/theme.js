/** The theme: as the system prefers, light or dark. */

import { effect, signal } from "../ui.js";
import { load, save } from "./storage.js";

/** @typedef {"system" | "light" | "dark"} Theme */

/** @type {Theme[]} */
const order = ["system", "light", "dark"];

/** The chosen theme. */
export const theme = signal(order.find((name) => name === load("local", "theme")) ?? "system");

/** Chooses the next theme. */
export function nextTheme() {
  theme.value = order[(order.indexOf(theme.value) + 1) % order.length];
  save("local", "theme", theme.value);
}

effect(() => {
  const { dataset } = document.documentElement;
  if (theme.value === "system") delete dataset.theme;
  else dataset.theme = theme.value;
});
