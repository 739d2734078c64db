/** The identities that the user has entered, and the one of this tab. */

import { signal } from "../ui.js";
import { load, onChangeElsewhere, save } from "./storage.js";

/**
 * @typedef {object} Identity
 * @property {string} id a name of the playground's own
 * @property {string} worker_id
 * @property {string} organization_id
 * @property {string} workspace_id
 * @property {import("../client.js").User} user
 * @property {string} token
 * @property {boolean} remember whether the token is kept when the tab is closed
 */

/** The identity of a first visit. @type {Identity} */
const first = {
  id: "first",
  worker_id: "playground",
  organization_id: "local",
  workspace_id: "local",
  user: { user_id: "me", user_name: "Me", organization_role: "owner" },
  token: "",
  remember: false,
};

/** An identity without values. */
export function newIdentity() {
  return { ...first, id: crypto.randomUUID?.() ?? `${Date.now()}`, user: { user_id: "", organization_role: "member" } };
}

/** @param {unknown} value */
function text(value) {
  return typeof value === "string" ? value : "";
}

/**
 * Reads a stored identity. The storage may have been written by another version, or by hand.
 *
 * @param {any} stored
 * @returns {Identity | undefined}
 */
function readIdentity(stored) {
  if (!text(stored?.id) || !text(stored.worker_id)) return undefined;
  const { user_id, user_name, user_email, organization_role } = stored.user ?? {};
  return {
    id: stored.id,
    worker_id: text(stored.worker_id),
    organization_id: text(stored.organization_id),
    workspace_id: text(stored.workspace_id),
    user: makeUser(text(user_id), text(user_name), text(user_email), text(organization_role)),
    token: text(stored.token),
    remember: stored.remember === true,
  };
}

/**
 * A user without empty members.
 *
 * @param {string} user_id
 * @param {string} user_name
 * @param {string} user_email
 * @param {string} organization_role
 * @returns {import("../client.js").User}
 */
export function makeUser(user_id, user_name, user_email, organization_role) {
  return {
    user_id,
    ...(user_name && { user_name }),
    ...(user_email && { user_email }),
    ...(organization_role && { organization_role }),
  };
}

function loadList() {
  const stored = load("local", "identities");
  const list = Array.isArray(stored) ? stored.map(readIdentity).filter((one) => one !== undefined) : [];
  return list.length > 0 ? list : [first];
}

/** All identities. A token that is not remembered is not in this list. */
export const identities = signal(loadList());
onChangeElsewhere("identities", () => (identities.value = loadList()));

/** The tokens of this tab, by the id of their identity. @returns {Record<string, string>} */
function loadTokens() {
  const stored = load("session", "tokens");
  return stored && typeof stored === "object" ? /** @type {Record<string, string>} */ (stored) : {};
}

/**
 * An identity with its token of this tab.
 *
 * @param {Identity} identity
 * @returns {Identity}
 */
export function withToken(identity) {
  return { ...identity, token: text(loadTokens()[identity.id]) || identity.token };
}

function loadPicked() {
  const picked = readIdentity(load("session", "identity"));
  if (picked) return withToken(picked);
  const last = load("local", "identity.last");
  return withToken(identities.value.find(({ id }) => id === last) ?? identities.value[0]);
}

/** The identity of this tab. */
export const identity = signal(loadPicked());

/**
 * Stores an identity in the list, and its token where the user wants it.
 *
 * @param {Identity} changed
 */
export function saveIdentity(changed) {
  save("session", "tokens", { ...loadTokens(), [changed.id]: changed.token });
  const listed = { ...changed, token: changed.remember ? changed.token : "" };
  const list = loadList();
  const known = list.some(({ id }) => id === changed.id);
  identities.value = known ? list.map((one) => (one.id === changed.id ? listed : one)) : [...list, listed];
  save("local", "identities", identities.value);
  if (changed.id === identity.value.id) pickIdentity(changed);
}

/**
 * Makes an identity the one of this tab.
 *
 * @param {Identity} picked
 */
export function pickIdentity(picked) {
  identity.value = picked;
  save("session", "identity", { ...picked, token: "" });
  save("local", "identity.last", picked.id);
}

/**
 * Removes an identity from the list. Tabs that use it keep it until they are closed.
 *
 * @param {string} id
 */
export function removeIdentity(id) {
  const { [id]: _, ...tokens } = loadTokens();
  save("session", "tokens", tokens);
  identities.value = loadList().filter((one) => one.id !== id);
  save("local", "identities", identities.value);
  if (identities.value.length === 0) identities.value = [first];
}

/**
 * The user of a JSON Web Token, if the token says it where most of them do. The server decides; this is only a name to show.
 *
 * @param {string} token
 */
function tokenName(token) {
  try {
    const bytes = atob(token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/"));
    const claims = JSON.parse(new TextDecoder().decode(Uint8Array.from(bytes, (one) => one.charCodeAt(0))));
    return text(claims.name) || text(claims.sub);
  } catch {
    return "";
  }
}

/** The name to show for an identity. @param {Identity} one */
export function identityName({ user, token }) {
  return (token && tokenName(token)) || user.user_name || user.user_id || "Anonymous";
}

/** The limits of the protocol, in bytes of UTF-8. */
const limits = {
  worker_id: 128,
  organization_id: 128,
  workspace_id: 128,
  user_id: 128,
  user_name: 256,
  user_email: 256,
  organization_role: 64,
  token: 16 * 1024,
};

/** @typedef {keyof typeof limits} IdentityField */

/**
 * Checks a value before the server does. Returns a sentence if it would be refused.
 *
 * @param {IdentityField} field
 * @param {string} value
 */
export function identityProblem(field, value) {
  const bytes = new TextEncoder().encode(value).length;
  const limit = limits[field];
  if (bytes > limit) return `At most ${limit.toLocaleString("en")} bytes. This has ${bytes.toLocaleString("en")}.`;
  if (value.includes("\0")) return "The character U+0000 is not allowed.";
  if (field === "worker_id" && value === "") return "A worker is required.";
  return undefined;
}
