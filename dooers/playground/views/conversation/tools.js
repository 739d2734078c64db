/** Pairs of tool calls, and of the results and forms that belong to them. */

import { numberText } from "../../client.js";
import { askedOf } from "./forms.js";

/** @typedef {import("../../client.js").ThreadEvent} ThreadEvent */

/** Maximum number of open calls with the same id that a result is compared with. */
const MOST_COMPARED = 16;

/**
 * Finds the form that asks for the approval of each call: the first one after the call that names its id, in the same run.
 *
 * @param {ThreadEvent[]} events
 * @returns {{approvalOf: Map<string, ThreadEvent>, placed: Set<string>}} forms by the id of the call's event, and the ids of the
 *   forms that have a call
 */
export function pairApprovals(events) {
  /** @type {Map<string, ThreadEvent>} */
  const calls = new Map();
  const approvalOf = new Map();
  const placed = new Set();
  for (const event of events) {
    const isCall = event.type === "tool.call";
    const id = isCall ? event.data?.id : askedOf(event)?.tool_call_id;
    if (typeof id !== "string") continue;
    const key = JSON.stringify([event.run_id, id]);
    const call = calls.get(key);
    if (isCall) {
      calls.set(key, event);
    } else if (call && !approvalOf.has(call.id)) {
      approvalOf.set(call.id, event);
      placed.add(event.id);
    }
  }
  return { approvalOf, placed };
}

/**
 * Finds the result of each call. A result belongs to a call of its run with the same id and name that has no result yet:
 * to the one with the same arguments, or else to the first.
 *
 * @param {ThreadEvent[]} events
 * @returns {{resultOf: Map<string, ThreadEvent>, paired: Set<string>}} results by the id of the call's event, and the ids of
 *   the results that have a call
 */
export function pairTools(events) {
  /** @type {Map<string, ThreadEvent[]>} */
  const open = new Map();
  const resultOf = new Map();
  const paired = new Set();
  for (const event of events) {
    if (event.type !== "tool.call" && event.type !== "tool.result") continue;
    const key = JSON.stringify([event.run_id, event.data?.id, event.data?.name]);
    const calls = open.get(key) ?? [];
    if (event.type === "tool.call") {
      calls.push(event);
      open.set(key, calls);
    } else if (calls.length > 0) {
      const same = calls.length > 1 ? calls.slice(0, MOST_COMPARED).findIndex((call) => isEqual(call.data?.args, event.data?.args)) : 0;
      const [call] = calls.splice(Math.max(same, 0), 1);
      resultOf.set(call.id, event);
      paired.add(event.id);
    }
  }
  return { resultOf, paired };
}

/**
 * Whether two values of JSON are equal. The order of the members of an object does not count.
 *
 * @param {any} one
 * @param {any} other
 * @returns {boolean}
 */
export function isEqual(one, other) {
  if (one === other) return true;
  if (typeof one !== "object" || typeof other !== "object" || !one || !other) return false;
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  const names = Object.keys(one);
  return names.length === Object.keys(other).length
    && names.every((name) => Object.hasOwn(other, name) && isEqual(one[name], other[name])
      && numberText(one, name) === numberText(other, name));
}
