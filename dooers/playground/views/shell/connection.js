/** The state of the connection: a word in the bar, and a banner if the user can do something. */

import { ConnectionLost } from "../../client.js";
import { announce } from "../../state/announce.js";
import { clockTime } from "../../state/clock.js";
import { focusComposer } from "../../state/commands.js";
import { dialog } from "../../state/dialogs.js";
import { client, connection, expiresAt } from "../../state/session.js";
import { errorText } from "../../state/toasts.js";
import { html, useEffect, useReducer, useRef, useState, useValue } from "../../ui.js";
import { sentence } from "../sentence.js";

/** Whether the browser has a network. */
function useOnline() {
  const [isOnline, set] = useState(navigator.onLine);
  useEffect(() => {
    const follow = () => set(navigator.onLine);
    addEventListener("online", follow);
    addEventListener("offline", follow);
    return () => {
      removeEventListener("online", follow);
      removeEventListener("offline", follow);
    };
  }, []);
  return isOnline;
}

/** Seconds until a point in time, renewed each second. @param {number | undefined} at */
function useCountdown(at) {
  const [, update] = useReducer((/** @type {number} */ count) => count + 1, 0);
  useEffect(() => {
    if (at === undefined) return undefined;
    const timer = setInterval(update, 1000, undefined);
    return () => clearInterval(timer);
  }, [at]);
  return at === undefined ? 0 : Math.max(0, Math.ceil((at - Date.now()) / 1000));
}

/** @typedef {"connected" | "connecting" | "waiting" | "refused" | "offline"} Shown */

/** @returns {Shown} */
function useShownPhase() {
  const { phase } = useValue(connection);
  const isOnline = useOnline();
  if (phase === "connected" || phase === "refused") return phase;
  if (!isOnline) return "offline";
  return phase === "waiting" ? "waiting" : "connecting";
}

const words = {
  connected: "Connected",
  connecting: "Connecting…",
  waiting: "Not connected",
  refused: "Refused",
  offline: "Offline",
};

/** The state in a word. Screen readers read it when it changes for longer than a moment. */
export function ConnectionState() {
  const shown = useShownPhase();
  const announced = useRef(/** @type {Shown} */ ("connecting"));
  useEffect(() => {
    if (shown === "connecting") return undefined;
    const timer = setTimeout(() => {
      if (announced.current === shown) return;
      // The first connection is what everybody expects.
      if (announced.current !== "connecting" || shown !== "connected") announce(words[shown]);
      announced.current = shown;
    }, 500);
    return () => clearTimeout(timer);
  }, [shown]);
  const { server } = useValue(connection);
  const about = shown === "connected" && server ? `Connected to ${server.name} ${server.version}` : words[shown];
  return html`<span class=${`connection ${shown}`} title=${about}>
    <span class="dot" aria-hidden="true"></span><span class="connection-word">${words[shown]}</span>
  </span>`;
}

/** The code with which a server closes a connection that it cannot serve for now, for the reason in the message. */
const TRY_LATER = 1013;

/** What is wrong with the connection, and the way out. */
export function ConnectionBanner() {
  const shown = useShownPhase();
  const { retryAt, error } = useValue(connection);
  const expires = useValue(expiresAt);
  const seconds = useCountdown(shown === "waiting" ? retryAt : undefined);
  // "connecting" between two attempts keeps the banner.
  const wasLost = useRef(false);
  const reason = useRef("");
  const pressed = useRef(false);
  useEffect(() => {
    // The pressed button disappears with the banner.
    if (shown === "connected" && pressed.current && document.activeElement === document.body) focusComposer();
    if (shown === "connected") pressed.current = false;
  }, [shown]);
  const tryNow = () => {
    pressed.current = true;
    client.value?.reconnect();
  };
  const changeIdentity = () => {
    pressed.current = true;
    dialog.value = "identity";
  };
  if (shown === "waiting" || shown === "offline") wasLost.current = true;
  if (shown === "waiting") {
    const isClosed = error instanceof ConnectionLost && error.code === TRY_LATER;
    reason.current = isClosed ? `The server closed the connection: ${error.message}.` : "The connection was lost.";
  }
  if (shown === "connected" || shown === "refused") wasLost.current = false;

  if (shown === "refused") {
    return html`<div class="banner notice error" role="alert">
      <p><strong>The server refused the connection.</strong>${error && html`<span>${sentence(errorText(error))}</span>`}</p>
      <button class="button" type="button" onClick=${changeIdentity}>Change identity</button>
      <button class="button" type="button" onClick=${tryNow}>Try again</button>
    </div>`;
  }
  if (wasLost.current) {
    return html`<div class="banner notice warning">
      <p>${lostText(shown, seconds, reason.current)}</p>
      <button class="button" type="button" aria-disabled=${shown === "connecting"} onClick=${tryNow}>Try now</button>
    </div>`;
  }
  if (expires) {
    return html`<div class="banner notice warning" role="status">
      <p>Your token expires at ${clockTime(expires)}. After that, the server refuses your messages.</p>
      <button class="button" type="button" onClick=${() => (dialog.value = "token")}>Enter a new token</button>
    </div>`;
  }
  return null;
}

/**
 * @param {Shown} shown
 * @param {number} seconds
 * @param {string} reason
 */
function lostText(shown, seconds, reason) {
  if (shown === "offline") return "You are offline. The page connects again when the network is back.";
  return shown === "connecting" || seconds === 0 ? `${reason} Connecting…` : `${reason} The page reconnects in ${seconds} s.`;
}
