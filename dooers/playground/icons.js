/** The icons, drawn with lines on a grid of 24 units. */

import { html } from "./ui.js";

/** @type {Record<string, string>} */
const paths = {
  add: "M12 5v14M5 12h14",
  check: "M5 12.5l4.5 4.5L19 7.5",
  close: "M6 6l12 12M18 6L6 18",
  copy: "M9 9h10v10H9zM5 15V5h10",
  delete: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
  down: "M6 9l6 6 6-6",
  edit: "M5 19l1-4L16 5l3 3L9 18z",
  help: "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17zM9.8 9.7a2.3 2.3 0 1 1 3.3 2.1c-.8.4-1.1.9-1.1 1.7M12 16.5v.01",
  menu: "M4 7h16M4 12h16M4 17h16",
  moon: "M19.5 14.2A8 8 0 1 1 9.8 4.5a6.5 6.5 0 0 0 9.7 9.7z",
  panel: "M5.5 5h13A1.5 1.5 0 0 1 20 6.5v11a1.5 1.5 0 0 1-1.5 1.5h-13A1.5 1.5 0 0 1 4 17.5v-11A1.5 1.5 0 0 1 5.5 5zM14.5 5v14",
  pick: "M8 10l4-4 4 4M8 14l4 4 4-4",
  retry: "M19 12a7 7 0 1 1-2-5M19 4v4h-4",
  right: "M9 6l6 6-6 6",
  search: "M10.5 17a6.5 6.5 0 1 1 0-13 6.5 6.5 0 0 1 0 13zM15.5 15.5L20 20",
  send: "M12 19V5M6 11l6-6 6 6",
  sidebar: "M5.5 5h13A1.5 1.5 0 0 1 20 6.5v11a1.5 1.5 0 0 1-1.5 1.5h-13A1.5 1.5 0 0 1 4 17.5v-11A1.5 1.5 0 0 1 5.5 5zM9.5 5v14",
  stop: "M7 7h10v10H7z",
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4",
  theme: "M5 5h14a1 1 0 0 1 1 1v9.5a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V6a1 1 0 0 1 1-1zM12 16.5V20M8.5 20h7",
  thumbDown: "M7 4v9M7 13l4 7c1.5 0 2.5-1 2-3l-1-3h6c1 0 2-1 1.5-2.5l-2-6C17.3 4.5 16.5 4 15.5 4H7z",
  thumbUp: "M7 20v-9M7 11l4-7c1.5 0 2.5 1 2 3l-1 3h6c1 0 2 1 1.5 2.5l-2 6c-.2 1-1 1.5-2 1.5H7z",
  tool: "M14 6a4 4 0 0 0 5 5l-9 9-5-5 9-9zM14 6l2-2",
  user: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM5 20c.5-4 3.5-6 7-6s6.5 2 7 6",
};

/**
 * An icon without a name of its own: the control that contains it has a label.
 *
 * @param {{name: string}} props
 */
export function Icon({ name }) {
  return html`<svg class=${name === "stop" ? "icon solid" : "icon"} viewBox="0 0 24 24" aria-hidden="true"><path d=${paths[name] ?? ""} /></svg>`;
}
