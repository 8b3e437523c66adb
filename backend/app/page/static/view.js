// Fills the page's templates. Whatever comes from the API is set as text, never as HTML.
import { durationText, timeText } from "./format.js";

/** @import { Execution, Plugin } from "./api.js" */

/** A status for people: a sign that needs no colour, and a word. */
const statusTexts = { running: "● Running", succeeded: "✓ Succeeded", failed: "✕ Failed" };

/**
 * @template {Element} T
 * @param {ParentNode} parent
 * @param {string} selector Of an element that the HTML has.
 * @param {new () => T} type
 * @returns {T}
 */
export function element(parent, selector, type) {
  const found = parent.querySelector(selector);
  if (found instanceof type) return found;
  throw new Error(`the page has no ${selector}`);
}

/**
 * @param {string} id A template's.
 * @returns {HTMLElement} A copy of the one element that it holds.
 */
function copyOf(id) {
  const copy = document.importNode(element(document, `template#${id}`, HTMLTemplateElement).content, true);
  return element(copy, "*", HTMLElement);
}

/**
 * @param {Element} parent
 * @param {Readonly<Record<string, string>>} texts By the name of the field; only what differs is touched.
 */
function fill(parent, texts) {
  for (const [name, text] of Object.entries(texts)) {
    for (const field of parent.querySelectorAll(`[data-field="${name}"]`)) {
      if (field.textContent !== text) field.textContent = text;
    }
  }
}

/**
 * @param {Execution} execution
 * @returns {HTMLElement[]} Its row, and a row for its error if it has one.
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
 * What a person asks of a plugin.
 * @typedef {{ switch: () => void, run: () => void, older: () => void }} Actions
 */

/** A plugin on the page. Its buttons stay the same elements, so that an update never takes the focus away. */
export class PluginCard {
  element = copyOf("plugin");
  #message = element(this.element, ".message", HTMLElement);
  #table = element(this.element, "table", HTMLTableElement);
  #rows = element(this.element, "tbody", HTMLTableSectionElement);
  #shown = "";

  /**
   * @param {string} id The plugin's.
   * @param {Actions} actions What its buttons do while they aren't busy.
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
   * @param {Plugin} plugin
   * @param {{ switching: boolean, running: boolean }} busy What this page has asked for and waits for.
   */
  update({ id, name, description, version, enabled }, { switching, running }) {
    this.element.ariaLabel = name;
    element(this.element, ".state", HTMLElement).dataset.enabled = String(enabled);
    const state = enabled ? "Enabled" : "Disabled";
    const texts = { switch: enabled ? "Disable" : "Enable", run: running ? "Running …" : "Run now" };
    fill(this.element, { id, name, description, version, state, ...texts });
    this.#button("switch").ariaBusy = String(switching);
    this.#button("run").ariaBusy = String(running);
    // Not `disabled`: that would take the focus away, and a click could not say why nothing happens.
    this.#button("switch").ariaDisabled = String(switching);
    this.#button("run").ariaDisabled = String(running || !enabled);
  }

  /**
   * @param {readonly Execution[]} executions The newest first.
   * @param {boolean} hasOlder Whether there are more.
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
   * Says something beside the plugin, to screen readers too.
   * @param {string} text
   * @param {"good" | "bad" | "neutral"} kind
   */
  say(text, kind) {
    this.#message.dataset.kind = kind;
    this.#message.textContent = text;
  }
}
