/** The page. */

import { announcement } from "../state/announce.js";
import { server } from "../state/server.js";
import { html, useEffect, useState, useValue } from "../ui.js";
import { Boundary } from "./shell/boundary.js";
import { Layout } from "./shell/layout.js";
import { ServerState } from "./shell/server-state.js";
import { Toasts } from "./shell/toasts.js";

export function App() {
  return html`
    <${Boundary} where="page"><${Content} /><//>
    <${Toasts} />
    <${LiveRegion} />
  `;
}

function Content() {
  const found = useValue(server);
  const usable = found.phase === "ready" && found.agents.length > 0;
  return usable ? html`<${Layout} />` : html`<${ServerState} server=${found} />`;
}

/** Texts for screen readers. Each is removed after a while, so that nobody finds it out of its context. */
function LiveRegion() {
  const text = useValue(announcement);
  const [shown, show] = useState("");
  useEffect(() => {
    show(text);
    const timer = setTimeout(show, 10_000, "");
    return () => clearTimeout(timer);
  }, [text]);
  return html`<div class="visually-hidden" role="status" aria-live="polite">${shown}</div>`;
}
