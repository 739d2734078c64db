/** The page before a server is found, and if there is none. */

import { start } from "../../state/session.js";
import { html, useEffect, useState } from "../../ui.js";

const retryAfter = 5000;

/** @param {{server: import("../../state/server.js").Server}} props */
export function ServerState({ server }) {
  const [busy, setBusy] = useState(false);
  const retry = async () => {
    setBusy(true);
    await start();
    setBusy(false);
  };
  useEffect(() => {
    if (server.phase === "loading") return undefined;
    const timer = setTimeout(start, retryAfter);
    return () => clearTimeout(timer);
  }, [server]);
  if (server.phase === "loading") return html`<main class="full-page"><p class="muted delayed">Looking for agents…</p></main>`;
  const title = server.phase === "failed" ? server.title : "This server has no agents";
  const reason =
    server.phase === "failed" ? server.reason : "The worker runs, but it serves no agent. Annotate an async function with #[dooers::agent].";
  return html`<main class="full-page">
    <h1>${title}</h1>
    <p>${reason}</p>
    <p class="actions">
      <button class="button primary" type="button" aria-disabled=${busy} onClick=${busy ? undefined : retry}>Try again</button>
    </p>
    <p class="muted">The page also tries again by itself every few seconds.</p>
  </main>`;
}
