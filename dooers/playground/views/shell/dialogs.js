/** The dialogs that buttons in several places open. */

import { closeDialog, dialog } from "../../state/dialogs.js";
import { html, useValue } from "../../ui.js";
import { HelpDialog } from "./help-dialog.js";
import { IdentityDialog } from "./identity-dialog.js";
import { TokenDialog } from "./token-dialog.js";

const views = { identity: IdentityDialog, token: TokenDialog, help: HelpDialog };

export function Dialogs() {
  const name = useValue(dialog);
  return name && html`<${views[name]} key=${name} onClose=${closeDialog} />`;
}
