/** Points in time as people read them. */

import { signal } from "../ui.js";

/** The present, renewed each minute and when the page becomes visible again. */
export const now = signal(Date.now());

setInterval(() => {
  if (!document.hidden) now.value = Date.now();
}, 60_000);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) now.value = Date.now();
});

const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "narrow" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });
const day = new Intl.DateTimeFormat("en", { day: "numeric", month: "short" });
const dayOfYear = new Intl.DateTimeFormat("en", { day: "numeric", month: "short", year: "numeric" });

const hourAndMinute = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

const minute = 60;
const hour = 60 * minute;
const oneDay = 24 * hour;

/**
 * A point in time relative to the present: "now", "5m ago", "yesterday", and a date after a week.
 *
 * @param {string | undefined} time a point in time of the protocol
 * @param {number} present in ms
 */
export function relativeTime(time, present) {
  const at = Date.parse(time ?? "");
  if (Number.isNaN(at)) return "";
  const seconds = Math.round((at - present) / 1000);
  const age = Math.abs(seconds);
  if (age < minute) return "now";
  if (age < hour) return relative.format(Math.trunc(seconds / minute), "minute");
  if (age < oneDay) return relative.format(Math.trunc(seconds / hour), "hour");
  if (age < 7 * oneDay) return relative.format(Math.trunc(seconds / oneDay), "day");
  const sameYear = new Date(at).getFullYear() === new Date(present).getFullYear();
  return (sameYear ? day : dayOfYear).format(at);
}

/**
 * A point in time in full, in the language of the browser.
 *
 * @param {string | number | undefined} time
 */
export function fullTime(time) {
  const at = typeof time === "number" ? time : Date.parse(time ?? "");
  return Number.isNaN(at) ? "" : full.format(at);
}

/**
 * A day with its hour and minute, such as "Nov 29 15:30".
 *
 * @param {string | undefined} time a point in time of the protocol
 */
export function shortTime(time) {
  const at = typeof time === "string" ? Date.parse(time) : NaN;
  return Number.isNaN(at) ? "" : `${day.format(at)} ${hourAndMinute.format(at)}`;
}

/**
 * The hour and minute of a point in time, in the language of the browser.
 *
 * @param {string | undefined} time
 */
export function clockTime(time) {
  const at = Date.parse(time ?? "");
  return Number.isNaN(at) ? "" : new Intl.DateTimeFormat(undefined, { timeStyle: "short" }).format(at);
}
