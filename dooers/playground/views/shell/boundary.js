/** A part of the page whose errors do not reach the other parts. */

import { errorText } from "../../state/toasts.js";
import { Component, html } from "../../ui.js";

/**
 * Shows an error of its children in their place. `of` identifies what they show: another value draws them again.
 *
 * @typedef {{where: string, of?: unknown, children?: unknown}} BoundaryProps
 * @extends {Component<BoundaryProps, {error?: unknown, of?: unknown}>}
 */
export class Boundary extends Component {
  /** @param {unknown} error */
  static getDerivedStateFromError(error) {
    return { error: error ?? "unknown error" };
  }

  /** @param {unknown} error */
  componentDidCatch(error) {
    console.error(error);
  }

  /** @param {BoundaryProps} previous */
  componentDidUpdate(previous) {
    if (this.state.error !== undefined && previous.of !== this.props.of) this.setState({ error: undefined });
  }

  render() {
    if (this.state.error === undefined) return /** @type {any} */ (this.props.children);
    return html`<div class="broken" role="alert">
      <h2>This ${this.props.where} cannot be shown</h2>
      <p class="notice error mono">${errorText(this.state.error)}</p>
      <p class="actions">
        <button class="button" type="button" onClick=${() => this.setState({ error: undefined })}>Try again</button>
        <button class="button primary" type="button" onClick=${() => location.reload()}>Reload the page</button>
      </p>
    </div>`;
  }
}
