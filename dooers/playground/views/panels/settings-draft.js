/** What the user has entered for a setting and is not stored yet. */

import { announce } from "../../state/session.js";
import { useEffect, useRef, useState } from "../../ui.js";
import { textOf, valueOf } from "./settings-values.js";

/** @typedef {import("../../client.js").SettingsField} SettingsField */
/** @typedef {import("../../client.js").SettingsView} SettingsView */

/**
 * @typedef {object} Draft
 * @property {string} text the text of the input
 * @property {boolean} isChanged whether the text differs from the stored value
 * @property {boolean} isChangedElsewhere whether the stored value has changed since the user began to type
 * @property {"" | "saving" | "saved"} status
 * @property {Error | null} error why the value was not stored
 * @property {(text: string) => void} write changes the text without saving it
 * @property {(text?: string) => void} commit saves the text if it differs from the stored value
 * @property {(value: unknown) => Promise<boolean>} save saves a value
 * @property {() => void} discard returns to the stored value
 */

/** The time for which "Saved" is shown, in milliseconds. */
const SAVED_MS = 2500;

/** How long to wait for the frame that follows an acknowledged change, in milliseconds. */
const SETTLE_MS = 1000;

/**
 * Keeps the text of an input while the stored value changes.
 *
 * @param {SettingsView} view
 * @param {SettingsField} field
 * @returns {Draft}
 */
export function useDraft(view, field) {
  const stored = textOf(field.value);
  const [draft, setDraft] = useState(/** @type {{text: string, base: string} | null} */ (null));
  const [status, setStatus] = useState(/** @type {Draft["status"]} */ (""));
  const [error, setError] = useState(/** @type {Error | null} */ (null));
  // Answers to an earlier change do not touch a later one.
  const turn = useRef(0);
  const saving = useRef(0);

  useEffect(() => {
    if (status !== "saved") return undefined;
    const timer = setTimeout(() => setStatus(""), SAVED_MS);
    return () => clearTimeout(timer);
  }, [status]);

  const discard = () => {
    turn.current++;
    setDraft(null);
    setError(null);
    setStatus("");
  };

  const save = async (/** @type {unknown} */ value) => {
    const own = ++turn.current;
    saving.current++;
    setError(null);
    setStatus("saving");
    try {
      await view.patch(field.id, value);
      // The stored value follows the acknowledgment in a frame of its own.
      await nextChange(view, SETTLE_MS);
      if (own === turn.current) {
        setDraft(null);
        setStatus("saved");
        announce(`${field.label}: saved`);
      }
      return true;
    } catch (caught) {
      if (own === turn.current) {
        setStatus("");
        setError(caught instanceof Error ? caught : new Error(String(caught)));
      }
      return false;
    } finally {
      saving.current--;
    }
  };

  return {
    text: draft?.text ?? stored,
    isChanged: draft !== null && draft.text !== stored,
    isChangedElsewhere: draft !== null && status !== "saving" && draft.base !== stored && draft.text !== stored,
    status,
    error,
    write: (text) => {
      turn.current++;
      setDraft({ text, base: draft?.base ?? stored });
      setStatus("");
      setError(null);
    },
    commit: (text = draft?.text) => {
      if (text === undefined || (status === "saving" && text === draft?.text)) return;
      // While an earlier change is on its way, the stored value is not the last one that the server will have.
      if (text === stored && saving.current === 0) {
        discard();
        return;
      }
      setDraft({ text, base: stored });
      save(valueOf(field, text));
    },
    save,
    discard,
  };
}

/**
 * Waits for the next change of a view, at most for some time.
 *
 * @param {SettingsView} view
 * @param {number} timeout in milliseconds
 */
function nextChange(view, timeout) {
  return new Promise((resolve) => {
    const finish = () => {
      clearTimeout(timer);
      view.removeEventListener("change", finish);
      resolve(undefined);
    };
    const timer = setTimeout(finish, timeout);
    view.addEventListener("change", finish);
  });
}
