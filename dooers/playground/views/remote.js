/** Images and sounds of other hosts, which are loaded when the user allows it. */

import { loadAlways, loadFromHostOf, loadOnce, mayLoad, media } from "../state/media.js";
import { plain } from "../plain.js";
import { html, useLayoutEffect, useRef, useValue } from "../ui.js";

/** @typedef {"image" | "audio"} Kind */

/**
 * The content with an address, or a question in its place.
 *
 * @param {{url: string, kind: Kind, name: string, content: () => unknown}} props
 */
export function Remote({ url, kind, name, content }) {
  useValue(media);
  const place = useRef(/** @type {HTMLDivElement | null} */ (null));
  const wasPressed = useRef(false);
  const isAllowed = mayLoad(url);
  useLayoutEffect(() => {
    // The pressed button has disappeared.
    if (isAllowed && wasPressed.current) focusOn(place.current?.querySelector("a, audio, img"));
    wasPressed.current = false;
  }, [isAllowed]);
  // Captured, because the button is gone when its own handler has returned.
  return html`<div class="remote" ref=${place} onClickCapture=${() => (wasPressed.current = true)}>
    ${isAllowed ? content() : html`<${AskToLoad} url=${url} kind=${kind} name=${name} />`}
  </div>`;
}

/** Sets the focus to an element that is no control. @param {Element | null | undefined} element */
export function focusOn(element) {
  if (element instanceof HTMLImageElement) element.tabIndex = -1;
  if (element instanceof HTMLElement) element.focus();
}

/**
 * Asks whether an address may be loaded.
 *
 * @param {{url: string, kind: Kind, name: string}} props
 */
export function AskToLoad({ url, kind, name }) {
  const { host } = new URL(url);
  const noun = kind === "image" ? "Image" : "Sound";
  const action = `Load ${noun.toLowerCase()}`;
  const label = plain(name);
  return html`<span class="remote-ask" role="group" aria-label=${`${noun} from ${host}`}>
    <span class="remote-about">
      ${label && label !== noun && html`<bdi>${label}</bdi>`}
      <span class="muted">${noun} from <bdi class="remote-host">${host}</bdi>, which would learn your address</span>
    </span>
    <span class="remote-actions">
      <button type="button" class="button" aria-label=${`${action}${label ? `: ${label}` : ""}`} onClick=${() => loadOnce(url)}>${action}</button>
      <button type="button" class="button quiet" onClick=${() => loadFromHostOf(url)}>Always from ${host}</button>
      <button type="button" class="button quiet" onClick=${() => loadAlways(true)}>Always from all hosts</button>
    </span>
  </span>`;
}
