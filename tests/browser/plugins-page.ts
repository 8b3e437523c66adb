import assert from "node:assert/strict";
import type { Browser, Page } from "puppeteer-core";

/** Sizes of windows, in CSS pixels. */
export const windows = { wide: { width: 1100, height: 900 }, narrow: { width: 320, height: 700 } };

declare global {
  /** Holds responses that list the plugins back from the page, from now on. */
  var holdLists: () => void;
  /** Releases them. */
  var releaseLists: () => void;
  /** Number of lists that are held back, and that the page received. */
  var heldLists: number;
  var shownLists: number;
}

/** The Plugins page in a tab of its own, as users see it. */
export class PluginsPage {
  readonly tab: Page;
  /** Errors and warnings of the console, violations of the page's policy, requests to other hosts. */
  readonly complaints: string[] = [];
  readonly #url: string;

  private constructor(tab: Page, url: string) {
    this.tab = tab;
    this.#url = url;
  }

  /** Opens an empty tab for the backend at `url`. */
  static async make(browser: Browser, url: string): Promise<PluginsPage> {
    const tab = await browser.newPage();
    const page = new PluginsPage(tab, url);
    const complain = (text: string) => page.complaints.push(text);
    tab.setDefaultTimeout(60_000);
    tab.on("console", (message) => ["error", "warn"].includes(message.type()) && complain(message.text()));
    tab.on("pageerror", (error) => complain(String(error)));
    tab.on("request", (request) => new URL(request.url()).origin !== url && complain(`request to ${request.url()}`));
    await tab.setViewport(windows.wide);
    return page;
  }

  /** Opens the backend's root and waits for the plugins. */
  async open(): Promise<void> {
    await this.tab.goto(`${this.#url}/`);
    await this.tab.waitForSelector('[data-plugin="uptime"]');
  }

  /** Defines `holdLists` and the others in the page that is opened next. */
  async holdLists(): Promise<void> {
    await this.tab.evaluateOnNewDocument(() => {
      const original = globalThis.fetch;
      let held: Promise<void> | undefined;
      let release = () => {};
      globalThis.heldLists = 0;
      globalThis.shownLists = 0;
      globalThis.holdLists = () => {
        held = new Promise((resolve) => {
          release = resolve;
        });
      };
      globalThis.releaseLists = () => release();
      globalThis.fetch = async (...args) => {
        const response = await original(...args);
        if (args[0] !== "api/plugins") return response;
        globalThis.heldLists++;
        await held;
        globalThis.heldLists--;
        globalThis.shownLists++;
        return response;
      };
    });
  }

  /** Waits until an element of a plugin contains a text. */
  async shows(plugin: string, selector: string, text: string): Promise<void> {
    const path = `${cardOf(plugin)} ${selector}`;
    const holds = (path: string, text: string) => document.querySelector(path)?.textContent?.includes(text);
    await this.tab.waitForFunction(holds, {}, path, text).catch(async () => {
      const found = await this.textOf(plugin, selector).catch(() => "nothing");
      assert.fail(`${path} shows ${JSON.stringify(found)}, not ${JSON.stringify(text)}`);
    });
  }

  /** Returns the text of an element of a plugin. */
  textOf(plugin: string, selector: string): Promise<string> {
    return this.tab.$eval(`${cardOf(plugin)} ${selector}`, (element) => element.textContent ?? "");
  }

  /** Clicks a plugin's button with the mouse. */
  click(plugin: string, action: "switch" | "run" | "older"): Promise<void> {
    return this.tab.click(`${cardOf(plugin)} [data-action="${action}"]`);
  }

  /** Moves the focus with the Tab key until a plugin's button has it. */
  async tabTo(plugin: string, action: "switch" | "run" | "older"): Promise<void> {
    const focused = () => {
      const { activeElement: at } = document;
      const action = at instanceof HTMLElement ? at.dataset.action : undefined;
      return `${at?.closest<HTMLElement>("[data-plugin]")?.dataset.plugin} ${action}`;
    };
    for (let presses = 0; presses < 50; presses++) {
      if ((await this.tab.evaluate(focused)) === `${plugin} ${action}`) return;
      await this.tab.keyboard.press("Tab");
    }
    assert.fail(`Tab doesn't lead to ${action} of ${plugin}`);
  }
}

/** Returns the selector of a plugin with any id. */
function cardOf(plugin: string): string {
  return `[data-plugin=${JSON.stringify(plugin)}]`;
}
