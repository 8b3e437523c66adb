// The Plugins page: shows plugins and their executions, handles the buttons, and refreshes periodically.
import { executePlugin, listExecutions, listPlugins, switchPlugin } from "./api.js";
import { durationText, timeZone } from "./format.js";
import { element, PluginCard } from "./view.js";

/** @import { Plugin } from "./api.js" */

/** Milliseconds between refreshes, while an execution runs and otherwise. */
const intervals = { running: 1000, idle: 10_000 };
/** Number of executions shown initially, added by each "Show older", and shown at most, which the API limits. */
const pageSizes = { initial: 5, step: 20, maximum: 499 };

/** A plugin on the page, with its state. */
class PluginView {
  limit = pageSizes.initial;
  busy = { switching: false, running: false };
  /** Whether an execution runs, including those of other clients. */
  isRunning = false;

  /** @param {Plugin} plugin */
  constructor(plugin) {
    this.plugin = plugin;
    this.card = new PluginCard(plugin.id, {
      switch: () => this.#do("switching", () => this.#switch()),
      run: () => this.#do("running", () => this.#run()),
      older: () => this.#showOlder(),
    });
  }

  update(plugin = this.plugin) {
    this.plugin = plugin;
    this.card.update(plugin, this.busy);
  }

  async loadExecutions() {
    const executions = await listExecutions(this.plugin.id, this.limit + 1);
    const hasOlder = executions.length > this.limit && this.limit < pageSizes.maximum;
    this.card.showExecutions(executions.slice(0, this.limit), hasOlder);
    this.isRunning = executions.some(({ status }) => status === "running");
  }

  /**
   * Handles a button: marks it as busy until the work is done, and shows errors.
   * @param {"switching" | "running"} state
   * @param {() => Promise<void>} work
   */
  async #do(state, work) {
    this.busy[state] = true;
    this.update();
    refresh(); // shows a started execution
    try {
      await work();
    } catch (error) {
      this.card.showMessage(textOf(error), "bad");
    }
    this.busy[state] = false;
    this.update();
    refresh();
  }

  async #switch() {
    this.update(await switchPlugin(this.plugin.id, !this.plugin.enabled));
    switchCount++;
    this.card.showMessage(`${this.plugin.enabled ? "Enabled" : "Disabled"} ${this.plugin.name}.`, "neutral");
  }

  async #run() {
    const { name, id } = this.plugin;
    if (!this.plugin.enabled) return this.card.showMessage(`${name} is disabled. Enable it to run it.`, "bad");
    this.card.showMessage(`Running ${name}…`, "neutral");
    const execution = await executePlugin(id);
    const result = `${name}: execution #${execution.id} ${execution.status} in ${durationText(execution.duration_seconds ?? 0)}`;
    if (execution.status === "succeeded") this.card.showMessage(`${result}.`, "good");
    else this.card.showMessage(`${result}: ${execution.error_message}`, "bad");
  }

  #showOlder() {
    this.limit = Math.min(this.limit + pageSizes.step, pageSizes.maximum);
    refresh();
  }
}

const list = element(document, "#plugins", HTMLElement);
const pageError = element(document, "#page-error", HTMLElement);
/** @type {Map<string, PluginView>} In the order of the list. */
let views = new Map();
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
/** The current refresh. They run one after the other, so that an older response never replaces a newer one. */
let refreshing = Promise.resolve();
/** How often this page switched a plugin. A list that was requested before the last time is outdated. */
let switchCount = 0;

/** Refreshes the page after the current refresh, and then periodically. */
function refresh() {
  clearTimeout(timer);
  refreshing = refreshing.then(load);
}

async function load() {
  try {
    const switchCountBefore = switchCount;
    const plugins = await listPlugins();
    if (switchCount === switchCountBefore) showPlugins(plugins);
    await Promise.all([...views.values()].map((view) => view.loadExecutions()));
    showError("");
  } catch (error) {
    showError(`${textOf(error)} Retrying…`);
  }
  clearTimeout(timer);
  const isRunning = [...views.values()].some((view) => view.isRunning || view.busy.running);
  if (!document.hidden) timer = setTimeout(refresh, isRunning ? intervals.running : intervals.idle);
}

/** @param {readonly Plugin[]} plugins */
function showPlugins(plugins) {
  const before = views;
  views = new Map(plugins.map((plugin) => [plugin.id, before.get(plugin.id) ?? new PluginView(plugin)]));
  for (const [id, { card }] of before) if (!views.has(id)) card.element.remove();
  plugins.forEach((plugin, index) => {
    const view = /** @type {PluginView} */ (views.get(plugin.id));
    view.update(plugin);
    // Existing elements are not moved, which would remove the focus.
    if (!view.card.element.isConnected) list.insertBefore(view.card.element, list.children[index] ?? null);
  });
  element(document, "#loading", HTMLElement).hidden = true;
  element(document, "#empty", HTMLElement).hidden = plugins.length > 0;
  const enabled = plugins.filter((plugin) => plugin.enabled).length;
  element(document, "#summary", HTMLElement).textContent = `${plugins.length} installed, ${enabled} enabled`;
}

/** @param {string} text Empty to hide the error. */
function showError(text) {
  if (pageError.textContent !== text) pageError.textContent = text;
  pageError.hidden = text === "";
}

/** @param {unknown} error */
function textOf(error) {
  return error instanceof Error ? error.message : String(error);
}

element(document, "#time-zone", HTMLElement).textContent = `Times are in your time zone (${timeZone()}).`;
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) refresh();
});
refresh();
