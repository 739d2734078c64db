/** The agent, and the list of the others. */

import { Icon } from "../../icons.js";
import { routeHash } from "../../state/route.js";
import { agent, agents } from "../../state/session.js";
import { html, useEffect, useId, useRef, useState, useValue } from "../../ui.js";

export function AgentPicker() {
  const list = useValue(agents);
  const name = useValue(agent);
  const current = list.find((one) => one.name === name);
  if (!current) return null;
  return list.length === 1
    ? html`<div class="agent"><${AgentText} agent=${current} /></div>`
    : html`<${Picker} list=${list} current=${current} />`;
}

/** @param {{agent: import("../../state/session.js").Agent}} props */
function AgentText({ agent: { name, description } }) {
  return html`<span class="agent-text">
    <span class="agent-name">${name}</span>
    ${description && html`<span class="muted agent-description" title=${description}>${description}</span>`}
  </span>`;
}

/** @param {{list: import("../../state/session.js").Agent[], current: import("../../state/session.js").Agent}} props */
function Picker({ list, current }) {
  const [isOpen, open] = useState(false);
  const root = useRef(/** @type {HTMLDivElement | null} */ (null));
  const listId = useId();
  useEffect(() => {
    if (!isOpen) return undefined;
    root.current?.querySelector(/** @type {"a"} */ ("[aria-current]"))?.focus();
    /** @param {Event} event */
    const onPress = (event) => {
      if (!root.current?.contains(/** @type {Node} */ (event.target))) open(false);
    };
    addEventListener("pointerdown", onPress);
    return () => removeEventListener("pointerdown", onPress);
  }, [isOpen]);
  /** @param {KeyboardEvent} event */
  const onKeyDown = (event) => {
    if (event.key === "Escape" && isOpen) {
      event.preventDefault();
      open(false);
      root.current?.querySelector("button")?.focus();
      return;
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    if (!isOpen) return open(true);
    const links = [...(root.current?.querySelectorAll("a") ?? [])];
    links.at((links.indexOf(/** @type {HTMLAnchorElement} */ (document.activeElement)) + step) % links.length)?.focus();
  };
  return html`<div class="agent-picker" ref=${root} onKeyDown=${onKeyDown}>
    <button class="agent" type="button" aria-expanded=${isOpen} aria-controls=${listId} onClick=${() => open(!isOpen)}>
      <span class="visually-hidden">Agent: </span>
      <${AgentText} agent=${current} />
      <${Icon} name="pick" />
    </button>
    <ul id=${listId} class="agent-list" hidden=${!isOpen} aria-label="Agents">
      ${isOpen &&
      list.map(
        (one) => html`<li key=${one.name}>
          <a class="agent" href=${routeHash(one.name)} aria-current=${one === current ? "true" : undefined} onClick=${() => open(false)}>
            <${AgentText} agent=${one} />
            ${one === current && html`<${Icon} name="check" />`}
          </a>
        </li>`,
      )}
    </ul>
  </div>`;
}
