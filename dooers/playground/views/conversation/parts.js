/** The parts of a message: texts, images, sounds and documents. */

import { html, useState } from "../../ui.js";
import { useKept } from "./fold.js";
import { bytes, count, duration } from "./format.js";
import { Unknown } from "./json.js";
import { Markdown } from "./markdown-view.js";
import { plain } from "../../plain.js";
import { Remote } from "../remote.js";
import { linkUrl, mediaUrl } from "./safe-url.js";

/** @typedef {import("../../client.js").ContentPart} ContentPart */

/** A longer text of a user is cut until it is asked for. */
const LONG_TEXT = 2_000;

/** The longest side of an image whose size is known, in pixels. */
const LARGEST = 480;

/**
 * @param {{id: string, content: ContentPart[] | undefined | null, markdown?: boolean, streaming?: boolean}} props
 *   `markdown`: whether texts are Markdown. Texts of users are shown as they were written.
 */
export function Parts({ id, content, markdown = false, streaming = false }) {
  const parts = Array.isArray(content) ? content : [];
  return parts.map((part, index) => {
    const key = `${id} ${index}`;
    if (part?.type === "text" && typeof part.text === "string") {
      if (!markdown) return html`<${PlainText} key=${key} id=${key} text=${part.text} />`;
      return html`<${Markdown} key=${key} text=${part.text} streaming=${streaming && index === parts.length - 1} />`;
    }
    if (part?.type === "image" && part.url) return html`<${Picture} key=${key} part=${part} />`;
    if (part?.type === "audio" && part.url) return html`<${Sound} key=${key} part=${part} />`;
    if (part?.type === "document") return html`<${File} key=${key} part=${part} />`;
    const name = typeof part?.type === "string" ? `Content of type ${part.type}` : "Unknown content";
    return html`<${Unknown} key=${key} id=${key} name=${name} value=${part} />`;
  });
}

/**
 * A text without markup.
 *
 * @param {{id: string, text: string}} props
 */
export function PlainText({ id, text }) {
  const [isWhole, setWhole] = useKept(`whole ${id}`, false);
  const isLong = text.length > LONG_TEXT;
  const shown = isLong && !isWhole ? `${[...text.slice(0, LONG_TEXT / 2)].slice(0, -1).join("")}…` : text;
  return html`<div class="plain-text">
    <p dir="auto">${plain(shown)}</p>
    ${isLong && html`<button type="button" class="button quiet more" aria-expanded=${isWhole}
      onClick=${() => setWhole(!isWhole)}>
      ${isWhole ? "Show less" : `Show all ${count(text.length)} characters`}
    </button>`}
  </div>`;
}

/**
 * An address as text, and why it is not a link.
 *
 * @param {{name: string, url: unknown, note: string}} props
 */
function Unusable({ name, url, note }) {
  const text = plain(url);
  return html`<p class="unusable">
    <span>${plain(name)}</span> <bdi class="mono">${text.length > 200 ? `${text.slice(0, 200)}…` : text}</bdi>
    <span class="muted">${note}</span>
  </p>`;
}

/** @param {{part: any}} props */
function Picture({ part }) {
  const [isBroken, setBroken] = useState(false);
  const url = mediaUrl(part.url, "image");
  const name = part.alt || part.filename || "Image";
  if (!url) return html`<${Unusable} name=${name} url=${part.url} note="This address is not shown as an image." />`;
  if (isBroken) return html`<${Unusable} name=${name} url=${part.url} note="The image could not be loaded." />`;
  const scale = Math.min(1, LARGEST / Math.max(part.width || 1, part.height || 1));
  const size = part.width > 0 && part.height > 0
    ? { width: Math.round(part.width * scale), height: Math.round(part.height * scale) }
    : {};
  const image = () => html`<img src=${url} alt=${plain(part.alt || part.filename || "")} ...${size} loading="lazy" decoding="async"
    referrerpolicy="no-referrer" onError=${() => setBroken(true)} />`;
  // A browser does not open a page with a `data:` address.
  if (url.startsWith("data:")) return html`<p class="picture">${image()}</p>`;
  const label = `Open image: ${plain(name)}`;
  return html`<${Remote} url=${url} kind="image" name=${name} content=${() => html`<p class="picture">
    <a href=${url} target="_blank" rel="noopener noreferrer" aria-label=${label}>${image()}</a>
  </p>`} />`;
}

/** @param {{part: any}} props */
function Sound({ part }) {
  const url = mediaUrl(part.url, "audio");
  const name = part.filename || "Audio";
  if (!url) return html`<${Unusable} name=${name} url=${part.url} note="This address is not played." />`;
  const length = part.duration > 0 ? duration(part.duration * 1000) : "";
  return html`<${Remote} url=${url} kind="audio" name=${name} content=${() => html`<figure class="sound">
    <figcaption><bdi>${plain(name)}</bdi> <span class="muted">${length}</span></figcaption>
    <audio controls preload="none" src=${url} aria-label=${plain(name)}></audio>
  </figure>`} />`;
}

/** @param {{part: any}} props */
function File({ part }) {
  const name = part.filename || "Document";
  const about = [part.mime_type, part.size_bytes >= 0 ? bytes(part.size_bytes) : ""].filter(Boolean).join(", ");
  const url = linkUrl(part.url);
  if (part.url && !url) return html`<${Unusable} name=${name} url=${part.url} note="This address is not opened." />`;
  const label = html`<bdi>${plain(name)}</bdi>`;
  return html`<p class="file">
    ${url ? html`<a href=${url} target="_blank" rel="noopener noreferrer">${label}</a>` : label}
    ${about && html`<span class="muted">${plain(about)}</span>`}
  </p>`;
}
