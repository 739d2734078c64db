/**
 * The names of threads. A thread without a title is named by the first words of its first message, if this browser has
 * seen them.
 */

import { plain } from "../plain.js";
import { signal } from "../ui.js";
import { shortTime } from "./clock.js";
import { load, onChangeElsewhere, save } from "./storage.js";

const maxNames = 500;
const maxLength = 80;

function loadNames() {
  const stored = load("local", "names");
  return new Map(Array.isArray(stored) ? /** @type {[string, string][]} */ (stored.filter(isName)) : []);
}

/** @param {unknown} entry */
function isName(entry) {
  return Array.isArray(entry) && typeof entry[0] === "string" && typeof entry[1] === "string";
}

/** The first words, by the id of the thread. */
export const firstWords = signal(loadNames());
// Another tab names the threads that it begins.
onChangeElsewhere("names", () => (firstWords.value = loadNames()));

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

/** @typedef {{id: string, title?: string | null, created_at?: string}} NamedThread */

/**
 * The title of a thread, or else its first words, if they are known.
 *
 * @param {NamedThread | null} thread
 */
export function knownName(thread) {
  if (!thread) return undefined;
  const title = typeof thread.title === "string" ? thread.title.trim() : "";
  return title || firstWords.value.get(thread.id);
}

/**
 * The name to show for a thread.
 *
 * @param {NamedThread | null} thread
 */
export function threadName(thread) {
  if (!thread) return "New conversation";
  const time = shortTime(thread.created_at);
  return plain(knownName(thread)) || (time ? `Untitled, ${time}` : "Untitled");
}
