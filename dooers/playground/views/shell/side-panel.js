/** The right side: settings, analytics and inspector, as tabs. */

import { Icon } from "../../icons.js";
import { panelNames, showPanel } from "../../state/layout.js";
import { client } from "../../state/session.js";
import { html, useId, useRef, useValue } from "../../ui.js";
import { AnalyticsPanel } from "../panels/analytics.js";
import { InspectorPanel } from "../panels/inspector.js";
import { SettingsPanel } from "../panels/settings.js";
import { Boundary } from "./boundary.js";

/** @typedef {import("../../state/layout.js").Panel} Panel */

const views = { settings: SettingsPanel, analytics: AnalyticsPanel, inspector: InspectorPanel };
const labels = { settings: "Settings", analytics: "Analytics", inspector: "Inspector" };

/** @param {{name: Panel}} props */
export function SidePanel({ name }) {
  const id = useId();
  const tabs = useRef(/** @type {HTMLDivElement | null} */ (null));
  const of = useValue(client);
  /** @param {KeyboardEvent} event */
  const onKeyDown = (event) => {
    const at = panelNames.indexOf(name);
    const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: -1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    const target = /** @type {Panel} */ (panelNames.at(next % panelNames.length));
    showPanel(target);
    tabs.current?.querySelector(/** @type {"button"} */ (`[data-panel=${target}]`))?.focus();
  };
  const close = () => {
    showPanel(null);
    document.getElementById("panel-toggle")?.focus();
  };
  return html`<aside class="side-panel" aria-label="Tools">
    <div class="side-panel-head">
      <div class="tabs" role="tablist" aria-label="Tools" ref=${tabs} onKeyDown=${onKeyDown}>
        ${panelNames.map(
          (one) => html`<button
            key=${one}
            id=${`${id}-${one}`}
            class="tab"
            type="button"
            role="tab"
            data-panel=${one}
            aria-selected=${one === name}
            aria-controls=${`${id}-panel`}
            tabindex=${one === name ? 0 : -1}
            onClick=${() => showPanel(one)}
          >
            ${labels[one]}
          </button>`,
        )}
      </div>
      <button class="button quiet square" type="button" aria-label="Close the panel" onClick=${close}>
        <${Icon} name="close" />
      </button>
    </div>
    <div id=${`${id}-panel`} class="side-panel-body" role="tabpanel" aria-labelledby=${`${id}-${name}`}>
      <${Boundary} key=${name} where="panel" of=${of}><${views[name]} /><//>
    </div>
  </aside>`;
}
