/** The dialog that adds an image, a sound or a document by its address. */

import { html, useEffect, useId, useRef, useState } from "../../ui.js";
import { linkUrl } from "./safe-url.js";

/** @typedef {import("./draft.js").Attachment} Attachment */

/** @type {[Attachment["type"], RegExp][]} */
const KINDS = [
  ["image", /\.(png|jpe?g|gif|webp|avif|svg)$/i],
  ["audio", /\.(mp3|m4a|ogg|oga|opus|wav|flac|aac)$/i],
];

/** @param {{onClose: () => void, onAttach: (part: Attachment) => void}} props */
export function AttachDialog({ onClose, onAttach }) {
  const id = useId();
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const [url, setUrl] = useState("");
  const [kind, setKind] = useState(/** @type {Attachment["type"] | ""} */ (""));
  const [alt, setAlt] = useState("");
  const [error, setError] = useState("");
  useEffect(() => dialog.current?.showModal(), []);
  const path = URL.canParse(url.trim()) ? new URL(url.trim()).pathname : "";
  const type = kind || (KINDS.find(([, names]) => names.test(path))?.[0] ?? "document");
  const attach = (/** @type {Event} */ event) => {
    event.preventDefault();
    const address = linkUrl(url.trim());
    if (!address || address.startsWith("mailto:")) {
      setError("Please give a complete address that begins with https:// or http://, without a user name.");
      return;
    }
    const filename = decode(path.split("/").pop() ?? "").slice(0, 200);
    const details = { ...(filename && { filename }), ...(type === "image" && alt.trim() && { alt: alt.trim() }) };
    onAttach({ type, url: address, ...details });
    dialog.current?.close();
  };
  return html`<dialog class="attach" aria-labelledby=${`${id}-title`} ref=${dialog} onClose=${onClose}>
    <div class="fields" onKeyDown=${(/** @type {KeyboardEvent} */ event) => {
      // A form in the form of the composer would not be valid.
      if (event.key === "Enter" && event.target instanceof HTMLInputElement) attach(event);
      if (event.key === "Escape") event.stopPropagation();
    }}>
      <h2 id=${`${id}-title`}>Attach a link</h2>
      <p class="muted">The agent receives the address. Files cannot be uploaded yet.</p>
      <div class="field">
        <label for=${`${id}-url`}>Address</label>
        <input id=${`${id}-url`} class="input" type="url" placeholder="https://example.org/picture.png" value=${url}
          aria-invalid=${error !== ""} aria-describedby=${`${id}-error`} autofocus
          onInput=${(/** @type {any} */ event) => {
            setUrl(event.currentTarget.value);
            setError("");
          }} />
        <p class="error-text" id=${`${id}-error`} role="alert">${error}</p>
      </div>
      <div class="field">
        <label for=${`${id}-kind`}>Kind</label>
        <select id=${`${id}-kind`} class="input" value=${type}
          onChange=${(/** @type {any} */ event) => setKind(event.currentTarget.value)}>
          <option value="image">Image</option>
          <option value="audio">Audio</option>
          <option value="document">Document</option>
        </select>
      </div>
      ${type === "image" && html`<div class="field">
        <label for=${`${id}-alt`}>Description <span class="muted">Optional</span></label>
        <input id=${`${id}-alt`} class="input" value=${alt} maxlength="500"
          onInput=${(/** @type {any} */ event) => setAlt(event.currentTarget.value)} />
      </div>`}
      <div class="actions">
        <button type="button" class="button" onClick=${() => dialog.current?.close()}>Cancel</button>
        <button type="button" class="button primary" onClick=${attach}>Attach</button>
      </div>
    </div>
  </dialog>`;
}

/** @param {string} text */
function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
