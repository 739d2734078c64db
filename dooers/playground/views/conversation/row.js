/** One row of a conversation. */

import { Component, html } from "../../ui.js";
import { textOf } from "./content.js";
import { CopyButton } from "./copy.js";
import { Feedback } from "./feedback.js";
import { dateAndTime, timeOfDay } from "./format.js";
import { Form } from "./form.js";
import { isApproval } from "./forms.js";
import { Unknown } from "./json.js";
import { Outgoing } from "./outgoing.js";
import { Parts } from "./parts.js";
import { Reasoning } from "./reasoning.js";
import { RunLine } from "./run-line.js";
import { plain } from "../../plain.js";
import { ToolCard } from "./tool-card.js";

/** @typedef {import("./rows.js").Row} Row */
/** @typedef {import("../../client.js").ThreadEvent} ThreadEvent */

/**
 * @typedef {object} View what all rows share
 * @property {import("../../client.js").Conversation} conversation
 * @property {import("../../client.js").Client} client
 * @property {string} agentName
 */

/**
 * @typedef {object} Props
 * @property {Row} row
 * @property {View} view
 * @property {(element: HTMLElement | null, key: string) => void} observe called with the element of the row, and with null
 *   when it is removed
 */

/**
 * A row, which is drawn again only if its stamp changes.
 *
 * @extends {Component<Props>}
 */
export class RowView extends Component {
  /** @param {Props} next @param {unknown} state */
  shouldComponentUpdate(next, state) {
    const stamp = this.props.row.stamp;
    return state !== this.state || next.view !== this.props.view || next.row.stamp.length !== stamp.length
      || next.row.stamp.some((value, index) => value !== stamp[index]);
  }

  /** Shows the row as JSON: it has something that this page does not expect. @param {any} error */
  componentDidCatch(error) {
    console.error(error);
    this.setState({ isBroken: true });
  }

  /** @param {HTMLElement | null} element */
  ref = (element) => this.props.observe(element, this.props.row.key);

  /** @param {Props} props @param {any} state */
  render({ row, view }, state) {
    const content = state?.isBroken
      ? html`<${Unknown} id=${row.key} name=${row.event?.type ?? row.kind} value=${row.event ?? row.run ?? row.outgoing} />`
      : contentOf(row, view);
    return html`<div class=${`row row-${row.kind}${row.isFirst ? " first" : ""}`} ref=${this.ref}>${content}</div>`;
  }
}

/**
 * @param {Row} row
 * @param {View} view
 */
function contentOf(row, view) {
  const { event } = row;
  if (row.kind === "day") return html`<p class="day-name">${row.day}</p>`;
  if (row.kind === "run" && row.run) return html`<${RunLine} run=${row.run} isExplained=${row.isExplained} view=${view} />`;
  if (row.kind === "outgoing" && row.outgoing) return html`<${Outgoing} outgoing=${row.outgoing} view=${view} />`;
  if (!event) return null;
  if (row.kind === "notice") return html`<${Notice} event=${event} />`;
  return html`${row.isFirst && html`<${Header} event=${event} view=${view} />`}${bodyOf(row, event, view)}`;
}

/**
 * @param {Row} row
 * @param {ThreadEvent} event
 * @param {View} view
 */
function bodyOf(row, event, view) {
  const run = event.run_id ? view.conversation.runs?.get(event.run_id) : undefined;
  switch (row.kind) {
    case "message":
      return html`<${Message} event=${event} view=${view} />`;
    case "reasoning":
      return html`<${Reasoning} event=${event} endedAt=${row.endedAt} />`;
    case "tool":
      return html`<${ToolCard} row=${row} isRunning=${run?.status === "running"} view=${view} />`;
    case "form":
      return html`<${Form} event=${event} state=${row.form} view=${view} />`;
    case "answer":
      return html`<${Answer} event=${event} asked=${row.form?.asked} />`;
    case "removed":
      return html`<p class="removed-text">This message was removed.</p>`;
    default:
      return html`<${Unknown} id=${event.id} name=${event.type} value=${event} />`;
  }
}

/** @param {{event: ThreadEvent, view: View}} props */
function Header({ event, view }) {
  const name = event.actor === "user"
    ? event.author || event.user?.user_id || "Anonymous"
    : event.author || (event.actor === "system" ? "System" : view.agentName);
  return html`<p class="author">
    <bdi class="author-name">${plain(name)}</bdi>
    <time datetime=${event.created_at} title=${dateAndTime(event.created_at)}>${timeOfDay(event.created_at)}</time>
  </p>`;
}

/** @param {{event: ThreadEvent, view: View}} props */
function Message({ event, view }) {
  const isAgent = event.actor !== "user";
  const text = textOf(event.content);
  const isEmpty = !event.content?.length;
  return html`<div class="body">
    ${isEmpty ? html`<p class="muted">No text</p>`
      : html`<${Parts} id=${event.id} content=${event.content} markdown=${isAgent} streaming=${event.streaming} />`}
    ${!event.streaming && html`<div class="actions">
      ${text && html`<${CopyButton} text=${() => text} label="Copy message" />`}
      ${isAgent && html`<${Feedback} id=${event.id} view=${view} />`}
    </div>`}
  </div>`;
}

/** A message of the server, such as the error of a turn. @param {{event: ThreadEvent}} props */
function Notice({ event }) {
  return html`<div class="notice error" role="note">
    <${Parts} id=${event.id} content=${event.content} />
    <time class="muted" datetime=${event.created_at} title=${dateAndTime(event.created_at)}>${timeOfDay(event.created_at)}</time>
  </div>`;
}

/**
 * The answer to a form. The form itself shows the values.
 *
 * @param {{event: ThreadEvent, asked: import("./forms.js").Asked | undefined}} props
 */
function Answer({ event, asked }) {
  const [yes, no] = isApproval(asked) ? ["Approved", "Refused"] : ["Answered the form.", "Canceled the form."];
  return html`<div class="body">
    <p>${event.data?.cancelled ? no : yes}</p>
    <${Parts} id=${event.id} content=${event.content} />
  </div>`;
}
