/** Values of settings as the texts of inputs, and back. */

import { plain } from "../../plain.js";

/** @typedef {import("../../client.js").SettingsField} SettingsField */

/** The kinds of inputs. */
const kinds = new Set(["text", "number", "select", "checkbox", "textarea", "password", "email", "date", "image"]);
const formats = new Set(["duration", "time", "url", "color"]);

/**
 * The kind of input for a field, or null for a type of a newer server.
 *
 * @param {SettingsField} field
 * @returns {string | null}
 */
export function kindOf(field) {
  if (!kinds.has(field.type)) return null;
  const format = field.format ?? "";
  if (field.type === "text" && formats.has(format)) return format;
  if (field.type === "textarea" && format === "list") return optionsOf(field).length > 0 ? "choices" : "list";
  return field.type;
}

/**
 * The options of a field. Entries of an unknown shape are left out.
 *
 * @param {SettingsField} field
 * @returns {{value: string, label: string}[]}
 */
export function optionsOf(field) {
  const options = Array.isArray(field.options) ? field.options : [];
  return options
    .filter((option) => typeof option === "object" && option !== null && option.value != null && typeof option.value !== "object")
    .map(({ value, label }) => ({ value: String(value), label: plain(label ?? value) }));
}

/**
 * The text of a value in an input. A check box has "true" or "".
 *
 * @param {unknown} value
 */
export function textOf(value) {
  if (value === null || value === undefined || value === false) return "";
  if (typeof value === "object") return JSON.stringify(value);
  return String(value);
}

/**
 * The value that a text of an input stands for. An empty text stands for `null`, unless the field is a text that may be
 * empty.
 *
 * @param {SettingsField} field
 * @param {string} text
 * @returns {unknown}
 */
export function valueOf(field, text) {
  const kind = kindOf(field);
  if (kind === "checkbox") return text === "true";
  if (kind === "number") {
    const number = Number(text);
    // The server names what it accepts instead of a text.
    return text.trim() === "" ? null : Number.isFinite(number) ? number : text;
  }
  if (text === "" && kind !== "text" && kind !== "textarea" && kind !== "list" && kind !== "choices") return null;
  return text;
}

/**
 * A value in a sentence.
 *
 * @param {SettingsField} field
 */
export function displayOf(field) {
  const text = textOf(field.value);
  if (field.type === "checkbox") return text ? "on" : "off";
  if (text === "") return "no value";
  const label = optionsOf(field).find(({ value }) => value === text)?.label ?? text;
  return `“${label.length > 80 ? `${label.slice(0, 80)}…` : label}”`;
}

/** A larger bound is the one of an integer type, and no help to a person. */
const LARGE = 2 ** 31 - 1;
/** Numbers are not rounded. */
const EXACT = { maximumFractionDigits: 20 };

/**
 * The bounds of a value in words, or an empty text.
 *
 * @param {SettingsField} field
 */
export function boundsOf({ type, format, min: lowest, max: highest, step, min_length: shortest, max_length: longest }) {
  if (type === "number") {
    const min = lowest != null && lowest > -LARGE ? lowest.toLocaleString("en", EXACT) : null;
    const max = highest != null && highest < LARGE ? highest.toLocaleString("en", EXACT) : null;
    const range = min && max ? `${min} to ${max}` : min ? `At least ${min}` : max ? `At most ${max}` : "";
    if (step == null || step <= 0 || step === 1) return range;
    return range ? `${range}, in steps of ${step}` : `In steps of ${step}`;
  }
  if (format === "list") return "One item per line";
  if (format === "duration") return "For example 1m30s, 2h or 500ms";
  const most = longest?.toLocaleString("en");
  if (shortest != null && shortest > 1 && longest != null) return `${shortest} to ${most} characters`;
  if (longest != null) return `At most ${most} characters`;
  if (shortest != null && shortest > 1) return `At least ${shortest} characters`;
  return "";
}

/**
 * The fields of a list of fields and groups, by id.
 *
 * @param {unknown} fields
 * @param {Map<string, SettingsField>} found
 */
export function fieldsById(fields, found = new Map()) {
  for (const field of Array.isArray(fields) ? fields : []) {
    if (typeof field !== "object" || field === null) continue;
    if (Array.isArray(field.fields)) fieldsById(field.fields, found);
    else found.set(field.id, field);
  }
  return found;
}
