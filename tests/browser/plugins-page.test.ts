import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "puppeteer-core";
import { audit, heard } from "./audit.ts";
import { type Backend, startBackend } from "./backend.ts";
import { startChromium } from "./chromium.ts";
import { contrasts } from "./contrast.ts";
import { PluginsPage, windows } from "./plugins-page.ts";

describe("the Plugins page", () => {
  let folder: string;
  let backend: Backend;
  let browser: Browser;
  let page: PluginsPage;

  before(async () => {
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
    page = await PluginsPage.make(browser, backend.url);
  });
  afterEach(() => page.tab.close());

  it("enables and runs a plugin by keyboard: row in page and database, line in the log", async () => {
    await page.open();
    assert.equal(page.tab.url(), `${backend.url}/plugins`);
    await page.tabTo("uptime", "switch");
    await page.tab.keyboard.press("Enter");
    await page.shows("uptime", ".state", "Enabled");
    await page.tab.keyboard.press("Tab");
    await page.tab.keyboard.press("Space");
    await page.shows("uptime", ".message", "execution #1 succeeded in");
    await page.shows("uptime", '[data-execution="1"] .status', "Succeeded");
    const focus = await page.tab.evaluate(() => document.activeElement?.textContent?.replace(/\s+/g, " "));
    assert.equal(focus, "Run now Uptime", "the focus stays where it was");

    const sql =
      "SELECT plugin_id, status, error_message, completed_at, " +
      "extract(epoch FROM completed_at - started_at)::float8 FROM plugin_executions";
    const [[plugin, status, error, completed, seconds] = [], ...others] = await backend.query(sql);
    assert.deepEqual([plugin, status, error, others], ["uptime", "succeeded", null, []]);
    const shown = await page.tab.$eval('[data-execution="1"] [data-field="completed"]', (time) => time.dateTime);
    assert.equal(Date.parse(shown), Date.parse(String(completed)));
    const [, logged] = await backend.logged(/plugin uptime execution 1 succeeded in (\d+\.\d{3}) s: 1 metrics/);
    assert.ok(Math.abs(Number(logged) - Number(seconds)) < 0.001, `${logged} in the log, ${seconds} in the database`);
    assert.deepEqual(page.complaints, []);
  });

  it("enables and disables by mouse, and shows why a disabled plugin doesn't run", async () => {
    await page.open();
    await page.click("disk-usage", "switch");
    await page.shows("disk-usage", ".state", "Enabled");
    await page.click("disk-usage", "switch");
    await page.shows("disk-usage", ".state", "Disabled");
    await page.click("disk-usage", "run");
    await page.shows("disk-usage", ".message", "Disk usage is disabled. Enable it to run it.");
    assert.deepEqual(await backend.query("SELECT enabled FROM plugins WHERE id = 'disk-usage'"), [[false]]);
    assert.deepEqual(await backend.query("SELECT count(*) FROM plugin_executions"), [[0]]);
  });

  it("isn't reset by a list that was requested before a plugin was switched", async () => {
    await page.holdLists();
    await page.open();
    await page.tab.evaluate(() => {
      holdLists();
      document.dispatchEvent(new Event("visibilitychange"));
    });
    await page.tab.waitForFunction(() => heldLists === 1);
    await page.click("uptime", "switch");
    await page.shows("uptime", ".state", "Enabled");
    const states = await page.tab.evaluate(async (selector) => {
      const states: (string | null)[] = [];
      const state = document.querySelector(selector);
      if (!state) return ["no plugin"];
      const observer = new MutationObserver(() => states.push(state.textContent));
      observer.observe(state, { characterData: true, childList: true, subtree: true });
      const before = shownLists;
      releaseLists();
      while (shownLists < before + 2) await new Promise((resolve) => setTimeout(resolve, 20));
      await new Promise((resolve) => setTimeout(resolve, 100));
      return states;
    }, '[data-plugin="uptime"] .state');
    assert.deepEqual(states, []);
  });

  it("shows a running execution, and its end without a reload", async () => {
    await backend.query("INSERT INTO plugin_executions (plugin_id) VALUES ('uptime')");
    await page.open();
    await page.shows("uptime", '[data-execution="1"] .status', "Running");
    await backend.query(
      "UPDATE plugin_executions SET status = 'failed', error_message = 'no sensor', " +
        "completed_at = started_at + interval '125.2 seconds'",
    );
    await page.shows("uptime", '[data-execution="1"] .status', "Failed");
    await page.shows("uptime", '[data-execution="1"] [data-field="duration"]', "2 min 5 s");
    await page.shows("uptime", ".error-row", "no sensor");
  });

  it("shows the newest execution first, and older ones on request", async () => {
    await backend.query(
      "INSERT INTO plugin_executions (plugin_id, started_at, completed_at, status) " +
        "SELECT 'uptime', at, at, 'succeeded' FROM generate_series(now() - interval '6 hours', now(), interval '1 hour') at",
    );
    const rows = () => page.tab.$$eval("[data-execution]", (all) => all.map((row) => Number(row.dataset.execution)));
    await page.open();
    await page.shows("uptime", '[data-execution="3"]', "#3");
    assert.deepEqual(await rows(), [7, 6, 5, 4, 3]);
    await page.click("uptime", "older");
    await page.shows("uptime", '[data-execution="1"]', "#1");
    assert.deepEqual(await rows(), [7, 6, 5, 4, 3, 2, 1]);
    assert.equal(
      await page.tab.$eval('[data-plugin="uptime"] [data-action="older"]', (button) => button.checkVisibility()),
      false,
    );
  });

  it("shows any data of the database as text", async () => {
    const hostile = '<img src=x onerror="document.title=1"><script>document.title=1</script>';
    const id = 'a"b?c#d%2e <i>';
    const insert = "INSERT INTO plugins (id, name, description, version, enabled) VALUES (%s, %s, %s, '1', true)";
    await backend.query(insert, id, hostile, hostile);
    try {
      const execution = "INSERT INTO plugin_executions (plugin_id, status, error_message) VALUES (%s, 'failed', %s)";
      await backend.query(execution, id, hostile);
      await page.open();
      await page.shows(id, ".error", hostile);
      assert.deepEqual([await page.textOf(id, "h2"), await page.textOf(id, ".error")], [hostile, hostile]);
      await page.click(id, "run");
      await page.shows(id, ".message", "has no code in this version of Unity");
      assert.match(await page.textOf(id, ".message"), /^The backend returned 409: plugin /);
      assert.equal(await page.tab.title(), "Plugins · Unity");
    } finally {
      await backend.query("DELETE FROM plugins WHERE id = %s", id);
    }
  });

  it("shows that the backend doesn't respond, and recovers without a reload", async () => {
    await page.open();
    await page.tab.setOfflineMode(true);
    await page.click("uptime", "switch");
    await page.shows("uptime", ".message", "Can't connect to the backend");
    await page.tab.waitForSelector('[role="alert"]:not([hidden])');
    await page.tab.setOfflineMode(false);
    await page.click("uptime", "switch");
    await page.shows("uptime", ".state", "Enabled");
    await page.tab.waitForSelector('[role="alert"]', { hidden: true });
  });

  it("fits a narrow window, and its tables stay tables there", async () => {
    await backend.query(
      "INSERT INTO plugin_executions (plugin_id, status, error_message) VALUES ('uptime', 'failed', repeat('x', 500))",
    );
    await page.tab.setViewport(windows.narrow);
    await page.open();
    await page.shows("uptime", ".error", "xxx");
    assert.equal(await page.tab.evaluate(() => document.documentElement.scrollWidth), windows.narrow.width);
    const all = await heard(page.tab);
    const parts = all.filter(({ role }) => ["table", "row", "columnheader", "cell"].includes(role));
    const count = (wanted: string) => parts.filter(({ role }) => role === wanted).length;
    assert.deepEqual([count("table"), count("row"), count("columnheader"), count("cell")], [1, 3, 5, 6]);
    assert.ok(parts.some(({ role, name }) => role === "columnheader" && name === "Duration"));
  });

  for (const scheme of ["light", "dark"] as const) {
    it(`is accessible in ${scheme} colors`, async () => {
      await backend.query("UPDATE plugins SET enabled = true WHERE id = 'uptime'");
      await backend.query(
        "INSERT INTO plugin_executions (plugin_id, started_at, completed_at, status, error_message) VALUES " +
          "('uptime', now(), now(), 'failed', 'no sensor'), ('uptime', now(), now(), 'succeeded', null), " +
          "('uptime', now(), null, 'running', null)",
      );
      await page.tab.emulateMediaFeatures([
        { name: "prefers-color-scheme", value: scheme },
        { name: "prefers-reduced-motion", value: "reduce" },
      ]);
      await page.open();
      await page.shows("uptime", ".error", "no sensor");
      await page.click("uptime", "run");
      await page.shows("uptime", ".message", "succeeded in");
      await page.click("disk-usage", "run");
      await page.shows("disk-usage", ".message", "is disabled");
      await page.tabTo("system-info", "switch");
      const { background, texts, controls, focus } = await contrasts(page.tab);
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

      for (const viewport of Object.values(windows)) {
        await page.tab.setViewport(viewport);
        const { grave, passed } = await audit(page.tab);
        assert.deepEqual(grave, []);
        assert.ok(passed.includes("color-contrast"));
      }
      assert.deepEqual(page.complaints, []);
    });
  }
});
