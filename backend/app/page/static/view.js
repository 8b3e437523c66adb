// Fills the page's templates. Values from the API are set as text, never as HTML.
import { durationText, timeText } from "./format.js";

/** @import { Execution, Plugin } from "./api.js" */

/** Labels of a status. The symbols distinguish them without color. */
const statusTexts = { running: "● Running", succeeded: "✓ Succeeded", failed: "✕ Failed" };

/**
 * Returns the first element that matches a selector.
 * @template {Element} T
 * @param {ParentNode} parent
 * @param {string} selector
 * @param {new () => T} type
 * @returns {T}
 * @throws {Error} If there is no such element of the type.
 */
export function element(parent, selector, type) {
  const found = parent.querySelector(selector);
  if (found instanceof type) return found;
  throw new Error(`${selector} not found`);
}

/**
 * Copies the element of a template.
 * @param {string} id
 * @returns {HTMLElement}
 */
function copyOf(id) {
  const copy = document.importNode(element(document, `template#${id}`, HTMLTemplateElement).content, true);
  return element(copy, "*", HTMLElement);
}

/**
 * Sets the texts of fields. Unchanged fields are not touched.
 * @param {Element} parent
 * @param {Readonly<Record<string, string>>} texts Texts by field name.
 */
function fill(parent, texts) {
  for (const [name, text] of Object.entries(texts)) {
    for (const field of parent.querySelectorAll(`[data-field="${name}"]`)) {
      if (field.textContent !== text) field.textContent = text;
    }
  }
}

/**
 * Creates the row of an execution, and another one for its error, if any.
 * @param {Execution} execution
 * @returns {HTMLElement[]}
 */
function rowsOf(execution) {
  const { id, status, started_at, completed_at, duration_seconds, error_message } = execution;
  const row = copyOf("execution");
  row.dataset.execution = String(id);
  element(row, ".status", HTMLElement).dataset.status = status;
  fill(row, {
    execution: `#${id}`,
    status: statusTexts[status],
    started: timeText(started_at),
    completed: completed_at === null ? "–" : timeText(completed_at),
    duration: duration_seconds === null ? "–" : durationText(duration_seconds),
  });
  element(row, '[data-field="started"]', HTMLTimeElement).dateTime = started_at;
  element(row, '[data-field="completed"]', HTMLTimeElement).dateTime = completed_at ?? "";
  if (error_message === null) return [row];
  const error = copyOf("error");
  fill(error, { execution: `#${id}`, error: error_message });
  return [row, error];
}

/**
 * Handlers of a plugin's buttons.
 * @typedef {{ switch: () => void, run: () => void, older: () => void }} Actions
 */

/** A plugin on the page. Its buttons are never replaced, so that they keep the focus. */
export class PluginCard {
  element = copyOf("plugin");
  #message = element(this.element, ".message", HTMLElement);
  #table = element(this.element, "table", HTMLTableElement);
  #rows = element(this.element, "tbody", HTMLTableSectionElement);
  #shown = "";

  /**
   * @param {string} id
   * @param {Actions} actions Handlers of the buttons, not called while a button is busy.
   */
  constructor(id, actions) {
    this.element.dataset.plugin = id;
    for (const [name, action] of Object.entries(actions)) {
      const button = this.#button(name);
      button.addEventListener("click", () => {
        if (button.ariaBusy !== "true") action();
      });
    }
  }

  /** @param {string} name */
  #button(name) {
    return element(this.element, `[data-action="${name}"]`, HTMLButtonElement);
  }

  /**
   * Shows the state of the plugin.
   * @param {Plugin} plugin
   * @param {{ switching: boolean, running: boolean }} busy Pending requests of this page.
   */
  update({ id, name, description, version, enabled }, { switching, running }) {
    this.element.ariaLabel = name;
    element(this.element, ".state", HTMLElement).dataset.enabled = String(enabled);
    const state = enabled ? "Enabled" : "Disabled";
    const texts = { switch: enabled ? "Disable" : "Enable", run: running ? "Running…" : "Run now" };
    fill(this.element, { id, name, description, version, state, ...texts });
    this.#button("switch").ariaBusy = String(switching);
    this.#button("run").ariaBusy = String(running);
    // Not `disabled`, which would remove the focus and prevent a click from showing the reason.
    this.#button("switch").ariaDisabled = String(switching);
    this.#button("run").ariaDisabled = String(running || !enabled);
  }

  /**
   * Shows the executions of the plugin.
   * @param {readonly Execution[]} executions Newest first.
   * @param {boolean} hasOlder Whether there are older ones.
   */
  showExecutions(executions, hasOlder) {
    this.#button("older").hidden = !hasOlder;
    const shown = JSON.stringify(executions);
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#rows.replaceChildren(...executions.flatMap(rowsOf));
    this.#table.hidden = executions.length === 0;
    element(this.element, '[data-part="none"]', HTMLElement).hidden = executions.length > 0;
  }

  /**
   * Shows a message in the plugin's card, and announces it to screen readers.
   * @param {string} text
   * @param {"good" | "bad" | "neutral"} kind
   */
  showMessage(text, kind) {
    this.#message.dataset.kind = kind;
    this.#message.textContent = text;
  }
}
