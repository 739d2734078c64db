/** The panel of the inspector: all frames of this tab, in both directions. */

import { Icon } from "../../icons.js";
import { frames } from "../../state/frames.js";
import { maskSecrets } from "../../state/secrets.js";
import { announce, threadId } from "../../state/session.js";
import { html, signal, useChanges, useEffect, useId, useMemo, useRef, useState, useValue } from "../../ui.js";
import { Details } from "./details.js";
import { deltasOf, FrameRows } from "./frame-rows.js";
import { clockOf, countOf, sizeOf } from "./numbers.js";
import { SendFrame } from "./send-frame.js";
import { VirtualList } from "./virtual-list.js";

/** @typedef {import("./frame-rows.js").FrameRow} FrameRow */
/** @typedef {import("./frame-rows.js").Criteria} Criteria */

/** The filter stays while the panel is closed, as the log does. */
const filter = signal(/** @type {Criteria} */ ({ direction: "", type: "", threadId: "", text: "", groupsDeltas: true }));

/** Shows the log of frames. */
export function InspectorPanel() {
  const id = useId();
  const root = useRef(/** @type {HTMLElement | null} */ (null));
  useChanges(frames);
  const rowsOf = useMemo(() => new FrameRows(frames), []);
  const criteria = useValue(filter);
  const [pausedAt, setPausedAt] = useState(/** @type {number | null} */ (null));
  const [isRevealed, reveal] = useState(false);
  const [opened, setOpened] = useState(/** @type {number | null} */ (null));
  const [isSending, setSending] = useState(false);
  const rows = rowsOf.update(criteria, pausedAt ?? Infinity);
  const row = opened === null ? undefined : rows.find(({ key }) => key === opened);
  const shown = isRevealed ? same : maskSecrets;

  // A row that left the log closes its details.
  useEffect(() => {
    if (opened !== null && !row) setOpened(null);
  }, [opened, row]);

  const close = () => {
    root.current?.querySelector(/** @type {"div"} */ (".rows"))?.focus();
    setOpened(null);
  };
  const clear = () => {
    frames.clear();
    setPausedAt(null);
    setOpened(null);
    announce("The log is empty");
  };

  return html`<section class="panel inspector" ref=${root} aria-labelledby=${`${id}-title`}>
    <h2 class="visually-hidden" id=${`${id}-title`}>Inspector</h2>
    <header class="panel-head">
      <span class="muted">
        ${countOf(frames.entries.length)} ${frames.entries.length === 1 ? "entry" : "entries"}, ${sizeOf(frames.bytes)}
      </span>
      <button
        class="button quiet"
        type="button"
        aria-pressed=${pausedAt !== null}
        onClick=${() => setPausedAt(pausedAt === null ? frames.next : null)}
      >${pausedAt === null ? "Pause" : `Resume (${countOf(frames.next - pausedAt)} new)`}</button>
      <button class="button quiet" type="button" onClick=${() => exportLog(shown)}>Export</button>
      <button class="button quiet" type="button" onClick=${clear}>Clear</button>
    </header>
    <${Filters}
      criteria=${criteria}
      onChange=${(/** @type {Criteria} */ changed) => (filter.value = changed)}
      isRevealed=${isRevealed}
      onReveal=${reveal}
    />
    <${VirtualList}
      label="Frames"
      rows=${rows}
      keyOf=${(/** @type {FrameRow} */ { key }) => key}
      render=${renderRow}
      opened=${opened}
      onOpen=${(/** @type {number | null} */ key) => {
        setOpened(key);
        if (key !== null) setSending(false);
      }}
      isFollowing=${true}
      empty=${frames.entries.length === 0 ? "No frames yet." : "No frame matches the filter."}
    />
    ${isSending && html`<div class="pane"><${SendFrame} mask=${shown} /></div>`}
    ${row && html`<${FrameDetails} row=${row} shown=${shown} onClose=${close} />`}
    <footer class="panel-foot">
      <button
        class="button"
        type="button"
        aria-expanded=${isSending}
        onClick=${() => {
          setSending(!isSending);
          setOpened(null);
        }}
      ><${Icon} name=${isSending ? "down" : "edit"} /> Send a frame</button>
    </footer>
  </section>`;
}

/** @param {string} text */
function same(text) {
  return text;
}

/**
 * The search and the other filters.
 *
 * @param {object} props
 * @param {Criteria} props.criteria
 * @param {(criteria: Criteria) => void} props.onChange
 * @param {boolean} props.isRevealed whether secrets are shown
 * @param {(value: boolean) => void} props.onReveal
 */
function Filters({ criteria, onChange, isRevealed, onReveal }) {
  const current = useValue(threadId);
  const types = [...frames.types.keys()].sort();
  const threads = [...frames.threads.keys()];
  const set = (/** @type {Partial<Criteria>} */ change) => onChange({ ...criteria, ...change });
  const valueOf = (/** @type {Event} */ event) =>
    /** @type {HTMLInputElement | HTMLSelectElement} */ (event.currentTarget).value;
  return html`<div class="filters" role="search" aria-label="Filter frames">
    <input
      class="input search"
      type="search"
      aria-label="Search in frames"
      placeholder="Search"
      value=${criteria.text}
      onInput=${(/** @type {Event} */ event) => set({ text: valueOf(event) })}
    />
    <select
      class="input"
      aria-label="Direction"
      value=${criteria.direction}
      onChange=${(/** @type {Event} */ event) => set({ direction: /** @type {"" | "in" | "out"} */ (valueOf(event)) })}
    >
      <option value="">In and out</option>
      <option value="out">Sent</option>
      <option value="in">Received</option>
    </select>
    <select
      class="input"
      aria-label="Type"
      value=${criteria.type}
      onChange=${(/** @type {Event} */ event) => set({ type: valueOf(event) })}
    >
      <option value="">All types</option>
      ${withCurrent(types, criteria.type).map((type) => html`<option key=${type} value=${type}>${type}</option>`)}
    </select>
    <select
      class="input"
      aria-label="Thread"
      value=${criteria.threadId}
      onChange=${(/** @type {Event} */ event) => set({ threadId: valueOf(event) })}
    >
      <option value="">All threads</option>
      ${withCurrent(threads, criteria.threadId).map(
        (thread) =>
          html`<option key=${thread} value=${thread}>
            ${thread === current ? "This thread" : `Thread …${thread.slice(-8)}`}
          </option>`,
      )}
    </select>
    <div class="switches">
      <label class="check" title="Show the deltas of a streamed message as one row">
        <input
          type="checkbox"
          checked=${criteria.groupsDeltas}
          onChange=${() => set({ groupsDeltas: !criteria.groupsDeltas })}
        />
        Group deltas
      </label>
      <label class="check" title="Show tokens and secret settings in the frames">
        <input type="checkbox" checked=${isRevealed} onChange=${() => onReveal(!isRevealed)} />
        Show secrets
      </label>
    </div>
  </div>`;
}

/**
 * Adds the chosen value to the list, because its last frame may have left the log.
 *
 * @param {string[]} values
 * @param {string} chosen
 */
function withCurrent(values, chosen) {
  return chosen && !values.includes(chosen) ? [...values, chosen] : values;
}

/** @param {FrameRow} row */
function renderRow({ entry, count, size }) {
  if (entry.direction === null) {
    return html`<span class="frame-note"><span>${entry.text}</span><time>${clockOf(entry.at)}</time></span>`;
  }
  const isOut = entry.direction === "out";
  return html`
    <time class="frame-time">${clockOf(entry.at)}</time>
    <span class=${`frame-direction ${entry.direction}`}>
      <span aria-hidden="true">${isOut ? "↑" : "↓"}</span>
      <span class="visually-hidden">${isOut ? "Sent" : "Received"}</span>
    </span>
    <span class="frame-type">
      ${entry.type || "not a frame"}${count > 1 && html`<span class="count">×${countOf(count)}</span>`}
    </span>
    <span class=${`frame-hint ${entry.isRefusal ? "refusal" : ""}`}>${entry.hint}</span>
    <span class="frame-size">${sizeOf(size)}</span>
  `;
}

/**
 * The frames of a row as JSON.
 *
 * @param {{row: FrameRow, shown: (text: string) => string, onClose: () => void}} props
 */
function FrameDetails({ row, shown, onClose }) {
  const { entry, count } = row;
  const text = useMemo(
    () => shown(count > 1 ? `[${deltasOf(frames, row).map((delta) => delta.text).join(",")}]` : entry.text),
    [row, shown],
  );
  const name = entry.type || (entry.direction === null ? "Note" : "Not a frame");
  const title = count > 1 ? `${countOf(count)} × ${name}` : name;
  return html`<${Details} title=${title} text=${text} isJson=${entry.isJson} label="Frame" onClose=${onClose}>
    <p class="muted">
      ${entry.direction === "out" ? "Sent" : entry.direction === "in" ? "Received" : "Noted"} at ${clockOf(entry.at)},
      ${" "}${countOf(row.size)} bytes${entry.threadId && html`, thread <code>${entry.threadId}</code>`}
    </p>
  <//>`;
}

/**
 * Saves all frames as a file of JSON lines.
 *
 * @param {(text: string) => string} shown masks the tokens
 */
function exportLog(shown) {
  const lines = frames.entries
    .filter(({ direction }) => direction !== null)
    .map(({ at, direction, text, isJson }) => {
      // The text is kept, because numbers beyond 2^53 are not exact in JavaScript.
      const frame = isJson ? shown(text).replace(/[\r\n]+/g, " ") : JSON.stringify(shown(text));
      return `{"at":"${new Date(at).toISOString()}","direction":"${direction}","frame":${frame}}\n`;
    });
  const url = URL.createObjectURL(new Blob(lines, { type: "application/x-ndjson" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = `frames-${new Date().toISOString().slice(0, 19).replace(/:/g, "-")}.jsonl`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
  announce(`Exported ${lines.length} frames`);
}
