/** The values of a form: defaults, checks before sending, and what is sent. */

import { plain } from "../../plain.js";

/**
 * A member of a record. A field may be called `__proto__`.
 *
 * @template T
 * @param {Record<string, T> | null | undefined} record
 * @param {string} name
 * @returns {T | undefined}
 */
export function own(record, name) {
  return record && Object.hasOwn(record, name) ? record[name] : undefined;
}

/** The value with which a field begins. @param {any} element */
export function defaultOf(element) {
  if (element.type === "checkbox_input") return Array.isArray(element.default) ? element.default : [];
  return element.default === undefined || element.default === null ? "" : element.default;
}

/**
 * The values to send. A field that is disabled, without an answer, or for a file is left out.
 *
 * @param {any[]} elements
 * @param {Record<string, unknown>} values
 */
export function answerOf(elements, values) {
  return Object.fromEntries(elements.filter(({ type, disabled }) => type !== "file_input" && !disabled)
    .map(({ name, input_type, type }) => {
      const value = own(values, name);
      return [name, type === "text_input" && input_type === "number" && typeof value === "string" ? value.trim() : value];
    })
    .filter(([, value]) => value !== "" && value !== null && value !== undefined));
}

/**
 * Why a value would be refused, or "". The server decides; this only saves the way to it.
 *
 * @param {any} element
 * @param {any} value
 */
export function problemOf(element, value) {
  if (element.disabled || element.type === "file_input") return "";
  const text = typeof value === "string" ? value.trim() : value;
  const isEmpty = text === "" || text === null || text === undefined || (Array.isArray(text) && text.length === 0);
  if (isEmpty) return element.required ? (isChoice(element) ? "Please choose." : "Please fill in this field.") : "";
  if (element.type !== "text_input") return "";
  if (element.input_type === "email" && !/^[^\s@]+@[^\s@]+$/.test(text)) return "Please enter an email address, such as ada@example.org.";
  if (element.input_type === "number" && !Number.isFinite(Number(text))) return "Please enter a number.";
  if (element.input_type === "date" && Number.isNaN(Date.parse(text))) return "Please enter a date, such as 2026-02-11.";
  return "";
}

/** @param {any} element */
export function isChoice({ type }) {
  return type === "select_input" || type === "radio_input" || type === "checkbox_input";
}

/**
 * The options of a choice. Options of an unexpected form are left out.
 *
 * @param {any} element
 * @returns {{value: string, label: string}[]}
 */
export function optionsOf({ options }) {
  return (Array.isArray(options) ? options : []).filter((option) => option && typeof option === "object" && typeof option.value !== "object")
    .map(({ value, label }) => ({ value: String(value), label: plain(label ?? value) }));
}
