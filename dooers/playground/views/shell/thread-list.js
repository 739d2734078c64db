/** The list of conversations, with its search. */

import { Icon } from "../../icons.js";
import { now } from "../../state/clock.js";
import { firstWords, knownName, threadName } from "../../state/names.js";
import { agent, connection, threadId } from "../../state/session.js";
import { matches, threadList } from "../../state/threads.js";
import { errorText } from "../../state/toasts.js";
import { html, useChanges, useEffect, useRef, useState, useValue } from "../../ui.js";
import { ConfirmDialog } from "./dialog.js";
import { ThreadRow } from "./thread-row.js";
import { useThreadDeletion } from "./thread-deletion.js";
import { useWindow } from "./window.js";

/** Time after the last key until a search starts, in ms. */
const searchDelay = 200;
/** The length of a search that the server accepts, in bytes. */
const maxQuery = 128;

export function ThreadList() {
  const list = useValue(threadList);
  useChanges(list);
  const [text, setText] = useState("");
  const [query, setQuery] = useState("");
  useEffect(() => {
    const timer = setTimeout(setQuery, text ? searchDelay : 0, text.trim());
    return () => clearTimeout(timer);
  }, [text]);
  useEffect(() => {
    if (list?.canQuery) list.search(query);
  }, [list, list?.canQuery, query]);
  if (!list) return null;
  return html`
    <div class="thread-search" role="search">
      <${Icon} name="search" />
      <input
        id="thread-search"
        class="input"
        type="search"
        maxlength=${maxQuery}
        placeholder="Search by title"
        aria-label="Search conversations by title"
        autocomplete="off"
        value=${text}
        onInput=${(/** @type {{currentTarget: HTMLInputElement}} */ event) => setText(event.currentTarget.value)}
        onKeyDown=${(/** @type {KeyboardEvent} */ event) => {
          // The browser empties the input. Only an empty one lets the drawer close.
          if (event.key === "Escape" && text) event.stopPropagation();
        }}
      />
    </div>
    <${Rows} key=${list.source} list=${list} query=${query} />
  `;
}

/** @param {{list: import("../../state/threads.js").ThreadList, query: string}} props */
function Rows({ list, query }) {
  const shownId = useValue(threadId);
  const agentName = useValue(agent);
  const present = useValue(now);
  useValue(firstWords);
  const scroller = useRef(/** @type {HTMLDivElement | null} */ (null));
  const filtersHere = query !== "" && !list.canQuery;
  const threads = filtersHere ? list.threads.filter((one) => matches(one, query)) : list.threads;
  const rows = useWindow(scroller, threads.length);
  const deletion = useThreadDeletion(scroller, threads);
  const isListed = threads.some(({ id }) => id === shownId);
  useEffect(() => {
    if (isListed) rows.reveal(threads.findIndex(({ id }) => id === shownId));
  }, [shownId, isListed]);
  return html`<div class="threads" ref=${scroller} aria-busy=${list.state === "loading"}>
    ${filtersHere && html`<p class="muted threads-note">Searches the ${list.threads.length} loaded conversations.</p>`}
    <ul class="thread-rows" ref=${rows.container}>
      ${threads.slice(rows.first, rows.end).map(
        (thread, index) => html`<${ThreadRow}
          key=${thread.id}
          thread=${thread}
          agentName=${agentName}
          present=${present}
          name=${threadName(thread)}
          isUntitled=${!knownName(thread)}
          isShown=${thread.id === shownId}
          position=${rows.first + index + 1}
          count=${list.hasMore ? -1 : threads.length}
          onDelete=${deletion.ask}
        />`,
      )}
    </ul>
    <${ListEnd} list=${list} shown=${threads.length} query=${query} filtersHere=${filtersHere} scroller=${scroller} />
    ${deletion.asked &&
    html`<${ConfirmDialog}
      title="Delete this conversation?"
      action="Delete"
      onConfirm=${deletion.confirm}
      onClose=${deletion.close}
    >
      This deletes “<bdi>${threadName(deletion.asked)}</bdi>” for everyone who can see it. A running answer is stopped.
    <//>`}
  </div>`;
}

/**
 * What follows the last row: a sentence if there are no rows, the next page, or an error.
 *
 * @param {{list: import("../../state/threads.js").ThreadList, shown: number, query: string, filtersHere: boolean,
 *   scroller: {current: HTMLElement | null}}} props
 */
function ListEnd({ list, shown, query, filtersHere, scroller }) {
  const { phase } = useValue(connection);
  const end = useRef(/** @type {HTMLDivElement | null} */ (null));
  // While this page filters, a visible end would load the whole list.
  const loadsByItself = list.hasMore && !filtersHere && list.error === undefined;
  useEffect(() => {
    if (!loadsByItself || !end.current || list.loadingMore) return undefined;
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some(({ isIntersecting }) => isIntersecting)) void list.loadMore();
      },
      { root: scroller.current, rootMargin: "400px" },
    );
    observer.observe(end.current);
    return () => observer.disconnect();
  }, [list, loadsByItself, list.loadingMore, list.threads.length]);
  return html`<div class="threads-end" ref=${end}>${endContent()}</div>`;

  function endContent() {
    if (list.state === "loading") {
      return html`<p class="muted delayed">${phase === "refused" ? "" : "Loading conversations…"}</p>`;
    }
    if (list.error !== undefined) {
      return html`<p class="notice error">The conversations were not loaded: ${errorText(list.error)}</p>
        <button class="button" type="button" onClick=${() => list.retry()}>Try again</button>`;
    }
    if (filtersHere && list.hasMore) {
      return html`<button class="button" type="button" aria-disabled=${list.loadingMore} onClick=${() => list.loadMore()}>
        Load more
      </button>`;
    }
    if (shown > 0) return list.loadingMore && html`<p class="muted">Loading…</p>`;
    return query
      ? html`<p class="muted">No title contains “${query}”.</p>`
      : html`<p class="muted">No conversations yet. Write a message to begin the first one.</p>`;
  }
}
