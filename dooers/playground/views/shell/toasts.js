/** The messages above the page. */

import { dismissToast, toasts } from "../../state/toasts.js";
import { Icon } from "../../icons.js";
import { html, useEffect, useState, useValue } from "../../ui.js";

/** How long a message is shown, in ms. Errors stay longer. */
const shownFor = { info: 5000, error: 15_000 };

export function Toasts() {
  const list = useValue(toasts);
  return html`<section class="toasts" aria-label="Messages" aria-live="polite">
    ${list.map((one) => html`<${Toast} key=${one.id} toast=${one} />`)}
  </section>`;
}

/** @param {{toast: import("../../state/toasts.js").Toast}} props */
function Toast({ toast: { id, kind, text, count } }) {
  const [held, hold] = useState(false);
  useEffect(() => {
    if (held) return undefined;
    const timer = setTimeout(dismissToast, shownFor[kind], id);
    return () => clearTimeout(timer);
  }, [held, id, kind]);
  return html`<div
    class=${`toast ${kind}`}
    onMouseEnter=${() => hold(true)}
    onMouseLeave=${() => hold(false)}
    onFocusIn=${() => hold(true)}
    onFocusOut=${() => hold(false)}
  >
    <p>${text}${count > 1 && html`<span class="muted"> (${count} times)</span>`}</p>
    <button class="button quiet" type="button" aria-label="Dismiss" onClick=${() => dismissToast(id)}>
      <${Icon} name="close" />
    </button>
  </div>`;
}
