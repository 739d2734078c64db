/**
 * The images and sounds of other hosts that the page loads. A host that sends one learns the address of the reader, and when
 * the message was read, so the user decides.
 */

import { signal } from "../ui.js";
import { load, onChangeElsewhere, save } from "./storage.js";

/**
 * @typedef {object} MediaChoice
 * @property {boolean} always whether the page loads everything
 * @property {string[]} origins the origins from which it loads everything
 * @property {Set<string>} once addresses that the user has loaded in this tab
 */

const maxOrigins = 200;
const maxOnce = 1000;

/** @param {Set<string>} once @returns {MediaChoice} */
function loadChoice(once) {
  const stored = /** @type {{always?: unknown, origins?: unknown} | undefined} */ (load("local", "media"));
  const origins = Array.isArray(stored?.origins) ? stored.origins.filter((origin) => typeof origin === "string" && URL.canParse(origin)) : [];
  return { always: stored?.always === true, origins, once };
}

/** What the user has allowed. */
export const media = signal(loadChoice(new Set()));
onChangeElsewhere("media", () => (media.value = loadChoice(media.value.once)));

/** @param {Partial<MediaChoice>} change */
function choose(change) {
  const { always, origins, once } = { ...media.value, ...change };
  media.value = { always, origins: origins.slice(-maxOrigins), once };
  save("local", "media", { always, origins: media.value.origins });
}

/**
 * Whether the page may load an address now. Addresses of the page's own server, and those without a host, need no permission.
 *
 * @param {string} url
 */
export function mayLoad(url) {
  if (!URL.canParse(url, document.baseURI)) return true;
  const { protocol, origin } = new URL(url, document.baseURI);
  const { always, origins, once } = media.value;
  return always || !["http:", "https:"].includes(protocol) || origin === location.origin || origins.includes(origin) || once.has(url);
}

/** Loads one address, in this tab. @param {string} url */
export function loadOnce(url) {
  media.value = { ...media.value, once: new Set([...media.value.once, url].slice(-maxOnce)) };
}

/** Loads everything from the host of an address, from now on. @param {string} url */
export function loadFromHostOf(url) {
  const { origin } = new URL(url);
  choose({ origins: [...media.value.origins.filter((known) => known !== origin), origin] });
}

/** Asks again before something of an origin is loaded. @param {string} origin */
export function askAgain(origin) {
  choose({ origins: media.value.origins.filter((known) => known !== origin) });
}

/** Loads everything from all hosts, or asks. @param {boolean} always */
export function loadAlways(always) {
  choose({ always });
}
