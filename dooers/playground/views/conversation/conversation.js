/** The conversation: its messages, what waits, and the composer. */

import { agent, agents, announce, client, connection, conversation } from "../../state/session.js";
import { newConversation } from "../../state/commands.js";
import { html, useChanges, useEffect, useMemo, useRef, useState, useValue } from "../../ui.js";
import { Composer } from "./composer.js";
import { forgetKept } from "./fold.js";
import { MessageList } from "./list.js";
import { Queue } from "./queue.js";
import { Reader } from "./reader.js";
import { rowsOf } from "./rows.js";
import { plain } from "../../plain.js";

/** Escape stops the run if it is pressed twice within this time, in milliseconds. */
const TWICE = 2_000;

export function Conversation() {
  const shown = useValue(conversation);
  const by = useValue(client);
  if (!shown || !by) return html`<section class="conversation" aria-label="Conversation"></section>`;
  return html`<${Shown} key=${keyOf(shown)} conversation=${shown} client=${by} />`;
}

/** @type {WeakMap<object, number>} */
const keys = new WeakMap();
let lastKey = 0;

/** A key per conversation, so that nothing is kept from one to the next. @param {object} shown */
function keyOf(shown) {
  if (!keys.has(shown)) keys.set(shown, lastKey += 1);
  return keys.get(shown);
}

/** @param {{conversation: import("../../client.js").Conversation, client: import("../../client.js").Client}} props */
function Shown({ conversation: shown, client: by }) {
  useChanges(shown);
  const name = useValue(agent) ?? "Agent";
  const about = useValue(agents).find((one) => one.name === name);
  const view = useMemo(() => ({ conversation: shown, client: by, agentName: name }), [shown, by, name]);
  useEffect(() => forgetKept, []);
  const reader = useRef(new Reader(announce));
  useEffect(() => reader.current.read(shown));
  const [hint, onKeyDown] = useEscape(view);

  const rows = rowsOf(shown);
  const isUsable = shown.state !== "deleted" && shown.state !== "missing";
  return html`<section class="conversation" aria-label="Conversation" onKeyDown=${onKeyDown}>
    ${rows.length === 0
      ? html`<div class="messages"><div class="scroller">
          <${Blank} conversation=${shown} name=${name} description=${about?.description} />
        </div></div>`
      : html`<${MessageList} rows=${rows} view=${view} />`}
    <div class="foot"><div class="column">
      ${!isUsable && rows.length > 0 && html`<p class="notice" role="status">${stateText(shown)}</p>`}
      <${Queue} view=${view} />
      ${isUsable
        ? html`<${Composer} view=${view} hint=${hint} />`
        : html`<button class="button" type="button" onClick=${newConversation}>Start another conversation</button>`}
    </div></div>
  </section>`;
}

/** @param {import("../../client.js").Conversation} shown */
function stateText({ state, error, threadId }) {
  if (state === "deleted") return "This conversation was deleted.";
  if (state === "missing") return "This conversation does not exist, or you may not see it.";
  if (state === "failed") return `This conversation could not be opened. ${error?.message ?? ""}`;
  return state === "opening" && threadId ? "Opening…" : "";
}

/**
 * The place of the messages while there are none.
 *
 * @param {{conversation: import("../../client.js").Conversation, name: string, description?: string}} props
 */
function Blank({ conversation: shown, name, description }) {
  const { phase } = useValue(connection);
  const text = stateText(shown);
  if (text) return html`<p class=${shown.state === "opening" ? "blank muted opening" : "blank"} role="status">${text}</p>`;
  return html`<div class="blank">
    <h2><bdi>${plain(name)}</bdi></h2>
    ${description && html`<p dir="auto">${plain(description)}</p>`}
    <p class="muted">${phase === "refused"
      ? "To talk to this agent, change your identity."
      : "Write a message to start a conversation."}</p>
  </div>`;
}

/**
 * Stops the running turns when Escape is pressed twice.
 *
 * @param {import("./row.js").View} view
 * @returns {[string, (event: KeyboardEvent) => void]} the hint after the first time, and the handler
 */
function useEscape({ conversation: shown, client: by }) {
  const [at, setAt] = useState(0);
  useEffect(() => {
    if (!at) return undefined;
    const timer = setTimeout(() => setAt(0), TWICE);
    return () => clearTimeout(timer);
  }, [at]);
  const isRunning = (shown.running?.length ?? 0) > 0 && by.supports("run.cancel");
  return [isRunning && at ? "Press Escape again to stop" : "", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented || event.isComposing || !isRunning) return;
    if (at) for (const { id } of shown.running) by.cancel({ run_id: id }).catch(() => {});
    setAt(at ? 0 : Date.now());
  }];
}
