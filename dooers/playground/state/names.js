/** Names for threads without a title: the first words of their first message, as far as this browser has seen them. */

import { signal } from "../ui.js";
import { load, save } from "./storage.js";

const maxNames = 500;
const maxLength = 80;

function loadNames() {
  const stored = load("local", "names");
  return new Map(Array.isArray(stored) ? /** @type {[string, string][]} */ (stored.filter(Array.isArray)) : []);
}

/** The first words, by the id of the thread. */
export const firstWords = signal(loadNames());

/**
 * Keeps the first words of a conversation.
 *
 * @param {import("../client.js").Conversation} conversation
 */
export function learnName({ threadId, events }) {
  const first = events[0];
  if (!threadId || first?.seq !== 1 || first.actor !== "user" || firstWords.value.has(threadId)) return;
  const parts = Array.isArray(first.content) ? first.content : [];
  const words = parts
    .map((part) => (part?.type === "text" && typeof part.text === "string" ? part.text.slice(0, 4 * maxLength) : ""))
    .join(" ")
    .replace(/\s+/g, " ")
    .trim();
  if (!words) return;
  const characters = Array.from(words);
  const name = characters.length > maxLength ? `${characters.slice(0, maxLength).join("")}…` : words;
  const names = [...firstWords.value, /** @type {[string, string]} */ ([threadId, name])].slice(-maxNames);
  firstWords.value = new Map(names);
  save("local", "names", names);
}

/** @param {string} threadId */
export function forgetName(threadId) {
  if (!firstWords.value.has(threadId)) return;
  const names = [...firstWords.value].filter(([id]) => id !== threadId);
  firstWords.value = new Map(names);
  save("local", "names", names);
}
