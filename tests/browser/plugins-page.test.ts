import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import axe from "axe-core";
import type { Browser, Page, SerializedAXNode } from "puppeteer-core";
import { type Backend, startBackend } from "./backend.ts";
import { startChromium } from "./chromium.ts";
import { contrasts } from "./contrast.ts";

const wide = { width: 1100, height: 900 };
const narrow = { width: 320, height: 700 };

/** @returns A part of what screen readers are told, and all parts of it. */
function partsOf(part: SerializedAXNode | null): SerializedAXNode[] {
  return part === null ? [] : [part, ...(part.children ?? []).flatMap(partsOf)];
}

describe("the Plugins page", function () {
  this.timeout(60_000);
  let folder: string;
  let backend: Backend;
  let browser: Browser;
  let page: Page;
  /** What the browser's console said is wrong, refused by the page's policy, or asked of another host. */
  let complaints: string[];

  before(async function () {
    this.timeout(600_000); // the first time, Chromium and the Python environment are installed
    folder = await mkdtemp(join(tmpdir(), "unity-browser-"));
    browser = await startChromium(join(folder, "profile"));
    backend = await startBackend();
  });
  after(async () => {
    await browser?.close();
    await backend?.stop();
    await rm(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    await backend.query("TRUNCATE plugin_executions RESTART IDENTITY; UPDATE plugins SET enabled = false");
    complaints = [];
    page = await browser.newPage();
    page.setDefaultTimeout(15_000);
    page.on("console", (message) => {
      if (["error", "warn"].includes(message.type())) complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("request", (request) => {
      if (new URL(request.url()).origin !== backend.url) complaints.push(`asked for ${request.url()}`);
    });
    await page.setViewport(wide);
  });
  afterEach(() => page.close());

  async function open(): Promise<void> {
    await page.goto(`${backend.url}/`);
    await page.waitForSelector('[data-plugin="uptime"]');
  }

  /** Waits until an element of a plugin holds a text. */
  async function shows(plugin: string, selector: string, text: string): Promise<void> {
    const path = `[data-plugin="${plugin}"] ${selector}`;
    const holds = (path: string, text: string) => document.querySelector(path)?.textContent?.includes(text);
    await page.waitForFunction(holds, {}, path, text).catch(async () => {
      const found = await page.$eval(path, (element) => element.textContent).catch(() => "nothing");
      assert.fail(`${path} shows ${JSON.stringify(found)}, not ${JSON.stringify(text)}`);
    });
  }

  function click(plugin: string, action: "switch" | "run" | "older"): Promise<void> {
    return page.click(`[data-plugin="${plugin}"] [data-action="${action}"]`);
  }

  /** Moves the focus with the Tab key until a button has it. */
  async function tabTo(plugin: string, action: string): Promise<void> {
    const focused = () => {
      const { activeElement: at } = document;
      const action = at instanceof HTMLElement ? at.dataset.action : undefined;
      return `${at?.closest<HTMLElement>("[data-plugin]")?.dataset.plugin} ${action}`;
    };
    for (let presses = 0; presses < 50; presses++) {
      if ((await page.evaluate(focused)) === `${plugin} ${action}`) return;
      await page.keyboard.press("Tab");
    }
    assert.fail(`Tab doesn't lead to ${action} of ${plugin}`);
  }

  it("enables and runs a plugin by keyboard: a row in the page and the database, a line in the log", async () => {
    await open();
    assert.equal(page.url(), `${backend.url}/plugins`);
    await tabTo("uptime", "switch");
    await page.keyboard.press("Enter");
    await shows("uptime", ".state", "Enabled");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Space");
    await shows("uptime", ".message", "execution #1 succeeded in");
    await shows("uptime", '[data-execution="1"] .status', "Succeeded");
    const focus = await page.evaluate(() => document.activeElement?.textContent?.replace(/\s+/g, " "));
    assert.equal(focus, "Run now Uptime", "the focus stays where it was");

    const sql =
      "SELECT plugin_id, status, error_message, completed_at, " +
      "extract(epoch FROM completed_at - started_at)::float8 FROM plugin_executions";
    const [[plugin, status, error, completed, seconds] = [], ...others] = await backend.query(sql);
    assert.deepEqual([plugin, status, error, others], ["uptime", "succeeded", null, []]);
    const shown = await page.$eval('[data-execution="1"] [data-field="completed"]', (time) => time.dateTime);
    assert.equal(Date.parse(shown), Date.parse(String(completed)));
    const [, logged] = await backend.logged(/plugin uptime execution 1 succeeded in (\d+\.\d{3}) s: 1 metrics/);
    assert.ok(Math.abs(Number(logged) - Number(seconds)) < 0.001, `${logged} in the log, ${seconds} in the database`);
    assert.deepEqual(complaints, []);
  });

  it("enables and disables by mouse, and says why a disabled plugin doesn't run", async () => {
    await open();
    await click("disk-usage", "switch");
    await shows("disk-usage", ".state", "Enabled");
    await click("disk-usage", "switch");
    await shows("disk-usage", ".state", "Disabled");
    await click("disk-usage", "run");
    await shows("disk-usage", ".message", "Disk usage is disabled: enable it to run it.");
    assert.deepEqual(await backend.query("SELECT enabled FROM plugins WHERE id = 'disk-usage'"), [[false]]);
    assert.deepEqual(await backend.query("SELECT count(*) FROM plugin_executions"), [[0]]);
  });

  it("shows an execution that runs, and by itself its end", async () => {
    await backend.query("INSERT INTO plugin_executions (plugin_id) VALUES ('uptime')");
    await open();
    await shows("uptime", '[data-execution="1"] .status', "Running");
    await backend.query(
      "UPDATE plugin_executions SET status = 'failed', error_message = 'no sensor', " +
        "completed_at = started_at + interval '125.2 seconds'",
    );
    await shows("uptime", '[data-execution="1"] .status', "Failed");
    await shows("uptime", '[data-execution="1"] [data-field="duration"]', "2 min 5 s");
    await shows("uptime", ".error-row", "no sensor");
  });

  it("shows the newest execution first, and older ones when asked", async () => {
    await backend.query(
      "INSERT INTO plugin_executions (plugin_id, started_at, completed_at, status) " +
        "SELECT 'uptime', at, at, 'succeeded' FROM generate_series(now() - interval '6 hours', now(), interval '1 hour') at",
    );
    const rows = () => page.$$eval("[data-execution]", (all) => all.map((row) => Number(row.dataset.execution)));
    await open();
    await shows("uptime", '[data-execution="3"]', "#3");
    assert.deepEqual(await rows(), [7, 6, 5, 4, 3]);
    await click("uptime", "older");
    await shows("uptime", '[data-execution="1"]', "#1");
    assert.deepEqual(await rows(), [7, 6, 5, 4, 3, 2, 1]);
    assert.equal(
      await page.$eval('[data-plugin="uptime"] [data-action="older"]', (button) => button.checkVisibility()),
      false,
    );
  });

  it("shows what the database holds as text, whatever it is", async () => {
    const hostile = '<img src=x onerror="document.title=1"><script>document.title=1</script>';
    const id = 'a"b?c#d%2e <i>';
    const insert = "INSERT INTO plugins (id, name, description, version, enabled) VALUES (%s, %s, %s, '1', true)";
    await backend.query(insert, id, hostile, hostile);
    try {
      const execution = "INSERT INTO plugin_executions (plugin_id, status, error_message) VALUES (%s, 'failed', %s)";
      await backend.query(execution, id, hostile);
      await open();
      const card = `[data-plugin="${id.replaceAll('"', '\\"')}"]`;
      await page.waitForSelector(`${card} .error`);
      const text = (selector: string) => page.$eval(`${card} ${selector}`, (element) => element.textContent);
      assert.deepEqual([await text("h2"), await text(".error")], [hostile, hostile]);
      await page.click(`${card} [data-action="run"]`);
      await page.waitForFunction(
        (path) => document.querySelector(path)?.textContent?.includes("no code"),
        {},
        `${card} .message`,
      );
      assert.match(`${await text(".message")}`, /answered 409: plugin '.*' has no code in this version of Unity/);
      assert.equal(await page.title(), "Plugins · Unity");
    } finally {
      await backend.query("DELETE FROM plugins WHERE id = %s", id);
    }
  });

  it("says that the backend doesn't answer, and goes on by itself when it does", async () => {
    await open();
    await page.setOfflineMode(true);
    await click("uptime", "switch");
    await shows("uptime", ".message", "The backend does not answer");
    await page.waitForSelector('[role="alert"]:not([hidden])');
    await page.setOfflineMode(false);
    await click("uptime", "switch");
    await shows("uptime", ".state", "Enabled");
    await page.waitForSelector('[role="alert"]', { hidden: true });
  });

  it("fits a narrow window, and its tables stay tables there", async () => {
    await backend.query(
      "INSERT INTO plugin_executions (plugin_id, status, error_message) VALUES ('uptime', 'failed', repeat('x', 500))",
    );
    await page.setViewport(narrow);
    await open();
    await shows("uptime", ".error", "xxx");
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), narrow.width);
    const tree = await page.accessibility.snapshot({ interestingOnly: false });
    const parts = partsOf(tree).filter(({ role }) => ["table", "row", "columnheader", "cell"].includes(role));
    const count = (wanted: string) => parts.filter(({ role }) => role === wanted).length;
    assert.deepEqual([count("table"), count("row"), count("columnheader"), count("cell")], [1, 3, 5, 6]);
    assert.ok(parts.some(({ role, name }) => role === "columnheader" && name === "Duration"));
  });

  for (const scheme of ["light", "dark"] as const) {
    it(`can be read, used and heard by everyone in ${scheme} colours`, async () => {
      await backend.query("UPDATE plugins SET enabled = true WHERE id = 'uptime'");
      await backend.query(
        "INSERT INTO plugin_executions (plugin_id, started_at, completed_at, status, error_message) VALUES " +
          "('uptime', now(), now(), 'failed', 'no sensor'), ('uptime', now(), now(), 'succeeded', null), " +
          "('uptime', now(), null, 'running', null)",
      );
      await page.emulateMediaFeatures([
        { name: "prefers-color-scheme", value: scheme },
        { name: "prefers-reduced-motion", value: "reduce" },
      ]);
      await open();
      await shows("uptime", ".error", "no sensor");
      await click("uptime", "run");
      await shows("uptime", ".message", "succeeded in");
      await click("disk-usage", "run");
      await shows("disk-usage", ".message", "is disabled");
      await tabTo("system-info", "switch");
      const { background, texts, controls, focus } = await contrasts(page);
      assert.ok(scheme === "dark" ? background < 0.05 : background > 0.8, `${background}`);
      assert.ok(texts.length > 30 && controls.length === 6);
      assert.deepEqual(
        texts.filter(({ ratio }) => ratio < 4.5),
        [],
      );
      assert.deepEqual(
        controls.filter(({ ratio }) => ratio < 3),
        [],
      );
      assert.ok(focus >= 3, `${focus}`);

      for (const viewport of [wide, narrow]) {
        await page.setViewport(viewport);
        await page.evaluate(axe.source);
        const { violations, passes } = await page.evaluate(() => (window as unknown as { axe: typeof axe }).axe.run());
        const grave = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
        assert.deepEqual(
          grave.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]),
          [],
        );
        assert.ok(passes.some(({ id }) => id === "color-contrast"));
      }
      assert.deepEqual(complaints, []);
    });
  }
});
