// The Plugins page: shows what the API says, does what its buttons say, and looks again while something runs.
import { executePlugin, listExecutions, listPlugins, switchPlugin } from "./api.js";
import { durationText, timeZone } from "./format.js";
import { element, PluginCard } from "./view.js";

/** @import { Plugin } from "./api.js" */

/** Milliseconds until the page looks again: while something runs, and otherwise. */
const interval = { running: 1000, idle: 10_000 };
/** Executions of a plugin that are shown at first, and that each "Show older" adds; the API gives no more than `most`. */
const pageSize = { first: 5, more: 20, most: 499 };

/** A plugin that the page shows. */
class Shown {
  limit = pageSize.first;
  busy = { switching: false, running: false };
  /** Whether an execution runs, whoever asked for it. */
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
    const found = await listExecutions(this.plugin.id, this.limit + 1);
    const hasOlder = found.length > this.limit && this.limit < pageSize.most;
    this.card.showExecutions(found.slice(0, this.limit), hasOlder);
    this.isRunning = found.some(({ status }) => status === "running");
  }

  /**
   * @param {"switching" | "running"} what
   * @param {() => Promise<void>} work
   */
  async #do(what, work) {
    this.busy[what] = true;
    this.update();
    refresh(); // an execution is in the list as soon as it has started
    try {
      await work();
    } catch (error) {
      this.card.say(textOf(error), "bad");
    }
    this.busy[what] = false;
    this.update();
    refresh();
  }

  async #switch() {
    this.update(await switchPlugin(this.plugin.id, !this.plugin.enabled));
    switched++;
    this.card.say(`${this.plugin.name} is ${this.plugin.enabled ? "enabled" : "disabled"}.`, "neutral");
  }

  async #run() {
    const { name, id } = this.plugin;
    if (!this.plugin.enabled) return this.card.say(`${name} is disabled: enable it to run it.`, "bad");
    this.card.say(`${name} is running …`, "neutral");
    const execution = await executePlugin(id);
    const took = `${name}: execution #${execution.id} ${execution.status} in ${durationText(execution.duration_seconds ?? 0)}`;
    if (execution.status === "succeeded") this.card.say(`${took}.`, "good");
    else this.card.say(`${took}: ${execution.error_message}`, "bad");
  }

  #showOlder() {
    this.limit = Math.min(this.limit + pageSize.more, pageSize.most);
    refresh();
  }
}

const list = element(document, "#plugins", HTMLElement);
const fault = element(document, "#fault", HTMLElement);
/** @type {Map<string, Shown>} In the order of the list. */
let shown = new Map();
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
/** One look at a time: a later one must not be overtaken by an earlier one. */
let looking = Promise.resolve();
/** Plugins that this page has switched: a list that was asked for before the last of them is out of date. */
let switched = 0;

/** Looks now, or as soon as the look that is under way has ended; and then again and again. */
function refresh() {
  clearTimeout(timer);
  looking = looking.then(look);
}

async function look() {
  try {
    const switchedBefore = switched;
    const plugins = await listPlugins();
    if (switched === switchedBefore) showPlugins(plugins);
    await Promise.all([...shown.values()].map((one) => one.loadExecutions()));
    showFault("");
  } catch (error) {
    showFault(`${textOf(error)} This page tries again by itself.`);
  }
  clearTimeout(timer);
  const isRunning = [...shown.values()].some((one) => one.isRunning || one.busy.running);
  if (!document.hidden) timer = setTimeout(refresh, isRunning ? interval.running : interval.idle);
}

/** @param {readonly Plugin[]} plugins */
function showPlugins(plugins) {
  const before = shown;
  shown = new Map(plugins.map((plugin) => [plugin.id, before.get(plugin.id) ?? new Shown(plugin)]));
  for (const [id, { card }] of before) if (!shown.has(id)) card.element.remove();
  plugins.forEach((plugin, index) => {
    const one = /** @type {Shown} */ (shown.get(plugin.id));
    one.update(plugin);
    // Only what is new is put in its place: an element that moves loses the focus.
    if (!one.card.element.isConnected) list.insertBefore(one.card.element, list.children[index] ?? null);
  });
  element(document, "#loading", HTMLElement).hidden = true;
  element(document, "#empty", HTMLElement).hidden = plugins.length > 0;
  const enabled = plugins.filter((plugin) => plugin.enabled).length;
  element(document, "#summary", HTMLElement).textContent = `${plugins.length} installed, ${enabled} enabled`;
}

/** @param {string} text "" if there is none. */
function showFault(text) {
  if (fault.textContent !== text) fault.textContent = text;
  fault.hidden = text === "";
}

/** @param {unknown} error */
function textOf(error) {
  return error instanceof Error ? error.message : String(error);
}

element(document, "#time-zone", HTMLElement).textContent = `Times are in your time zone, ${timeZone()}.`;
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) refresh();
});
refresh();
