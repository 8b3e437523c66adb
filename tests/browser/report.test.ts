import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "puppeteer-core";
import { renderReport } from "../../src/cli/report/page.ts";
import { behindParts, faultyLock, hostile, reportOf } from "../fixtures/report.ts";
import { audit, heard } from "./audit.ts";
import { startChromium } from "./chromium.ts";
import { contrasts } from "./contrast.ts";
import { inkOf, type Rectangle, ReportPage, shown } from "./report-page.ts";

const schemes = ["light", "dark"] as const;
const widths = { wide: 1280, narrow: 320 } as const;

/** Whether a rectangle contains another one, give or take half a pixel. */
const holds = (outer: Rectangle, { x, y, width, height }: Rectangle) =>
  x >= outer.x - 0.5 &&
  y >= outer.y - 0.5 &&
  x + width <= outer.x + outer.width + 0.5 &&
  y + height <= outer.y + outer.height + 0.5;
const overlap = (one: Rectangle, other: Rectangle) =>
  one.x < other.x + other.width &&
  other.x < one.x + one.width &&
  one.y < other.y + other.height &&
  other.y < one.y + one.height;

describe("the report, in a browser", () => {
  let folder: string;
  let browser: Browser;
  let page: ReportPage;
  let markup: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "unity-report-"));
    browser = await startChromium(join(folder, "profile"));
    markup = renderReport(await reportOf(faultyLock, behindParts()));
  });
  after(async () => {
    await browser?.close();
    await rm(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    page = await ReportPage.open(browser, join(folder, "report.html"), markup);
  });
  afterEach(() => page.tab.close());

  it("sends no request, and complies with its own policy", async () => {
    await page.unfold();
    assert.deepEqual(page.complaints, []);
  });

  it("reports a request: a picture of another host is blocked", async () => {
    await page.tab.close();
    const other = markup.replace("</h1>", '</h1><img src="http://127.0.0.1:9/picture.png" alt="">');
    page = await ReportPage.open(browser, join(folder, "other.html"), other);
    assert.match(page.complaints.join("\n"), /violates the following Content Security Policy/);
  });

  it("shows hostile names as text", async () => {
    await page.unfold();
    assert.match(await page.tab.title(), /^Migrations of unity on kubernetes-admin@homelab, 2026-01-05$/);
    assert.equal(await page.tab.$$eval("script, [onerror]", (all) => all.length), 0);
    const texts = await page.tab.$$eval("#plan h3, #chain h3, #checks td, #runs pre, #plan code", (all) =>
      all.map((element) => element.textContent ?? ""),
    );
    assert.ok(texts.filter((text) => text.includes(hostile)).length >= 4, texts.join("\n"));
  });

  it("draws all 17 tables apart, every text within its table and clear of the others", async () => {
    const { frame, boxes } = await shown(page.tab);
    assert.equal(boxes.length, 17);
    for (const [index, box] of boxes.entries()) {
      assert.ok(holds(frame, box.frame), `${box.table} is within the picture`);
      for (const other of boxes.slice(0, index))
        assert.ok(!overlap(box.frame, other.frame), `${box.table} and ${other.table} are apart`);
      for (const [place, { text, at }] of box.texts.entries()) {
        assert.ok(holds(box.frame, at), `${text} is within ${box.table}`);
        const [before] = box.texts.slice(0, place).slice(-1);
        if (before && Math.abs(before.at.y - at.y) < 5)
          assert.ok(before.at.x + before.at.width < at.x, `${before.text} and ${text} of ${box.table} are apart`);
      }
    }
    const users = boxes.find(({ table }) => table === "users");
    const words = users?.texts.map(({ text }) => text) ?? [];
    assert.deepEqual([words.slice(0, 5), words.at(-1)], [["id", "bigint", "PK", "username", "text"], "users"]);
  });

  it("draws all 19 references from their column to their table, and through no other", async () => {
    const { boxes, lines } = await shown(page.tab);
    const box = (name: string) => boxes.find(({ table }) => table === name);
    assert.equal(lines.length, 19);
    for (const { from, column, to, points } of lines) {
      const [start, end] = [points[0], points.at(-1)];
      const [own, target] = [box(from), box(to)];
      assert.ok(start && end && own && target, `${from} and ${to} are there`);
      const row = own.texts.find(({ text }) => text === column)?.at;
      assert.ok(row && start.y > row.y && start.y < row.y + row.height, `it begins at ${from}.${column}`);
      for (const [{ x, y }, { frame }] of [
        [start, own],
        [end, target],
      ] as const) {
        assert.ok([frame.x, frame.x + frame.width].some((side) => Math.abs(side - x) < 1) && y > frame.y);
        assert.ok(y < frame.y + frame.height);
      }
      for (const { table, frame } of boxes) {
        const inner = { x: frame.x + 1, y: frame.y + 1, width: frame.width - 2, height: frame.height - 2 };
        const crossing = points.some((point) => overlap(inner, { ...point, width: 0.01, height: 0.01 }));
        assert.ok(!crossing, `the line from ${from}.${column} to ${to} passes ${table} by`);
      }
    }
  });

  for (const scheme of schemes) {
    it(`paints each table and each line in ${scheme} colors, as its screenshot shows`, async () => {
      await page.prefer(scheme);
      await page.tab.click("#size-full");
      await page.tab.setViewport({ width: 1700, height: 900 });
      const { frame, boxes, lines } = await shown(page.tab);
      const svg = await page.tab.$("svg.diagram");
      const png = join(folder, `${scheme}.png`);
      await page.tab.$eval(".viewport", (element) => element.classList.remove("viewport"));
      await svg?.screenshot({ path: png as `${string}.png` });
      const size = await svg?.boundingBox();
      assert.deepEqual([size?.width, size?.height], [frame.width, frame.height], "it is shown in full size");
      const texts = boxes.flatMap(({ table, texts }) =>
        texts.map(({ text, at }) => ({ what: `${table}: ${text}`, at })),
      );
      const around = lines.flatMap(({ from, to, points }) =>
        [0.25, 0.5, 0.75].map((share) => {
          const { x = 0, y = 0 } = points[Math.round(share * (points.length - 1))] ?? {};
          return { what: `${from} to ${to}`, at: { x: x - 2, y: y - 2, width: 5, height: 5 } };
        }),
      );
      const parts = [...texts, ...around];
      const ink = await inkOf(
        browser,
        png,
        parts.map(({ at }) => at),
      );
      const empty = parts.filter((_, index) => (ink[index] ?? 0) < 0.02).map(({ what }) => what);
      assert.deepEqual(empty, []);
      const [nothing] = await inkOf(browser, png, [{ x: 0, y: 0, width: 4, height: frame.height }]);
      assert.equal(nothing, 0, "the margin is empty");
    });

    it(`can be read by everyone in ${scheme} colors`, async () => {
      await page.prefer(scheme);
      await page.unfold();
      await page.tab.focus("summary");
      await page.tab.keyboard.press("Tab");
      const { background, texts, focus } = await contrasts(page.tab);
      assert.ok(scheme === "dark" ? background < 0.05 : background > 0.8, `${background}`);
      assert.ok(texts.length > 500, `${texts.length}`);
      assert.ok(
        texts.some(({ what }) => what.startsWith("text.")),
        "the diagram's texts are among them",
      );
      assert.deepEqual(
        texts.filter(({ ratio }) => ratio < 4.5),
        [],
      );
      assert.ok(focus >= 3, `${focus}`);
      for (const width of Object.values(widths)) {
        await page.tab.setViewport({ width, height: 900 });
        const { grave, passed } = await audit(page.tab);
        assert.deepEqual(grave, []);
        for (const rule of ["color-contrast", "heading-order", "landmark-one-main", "bypass"])
          assert.ok(passed.includes(rule), rule);
      }
    });
  }

  it("reaches every control in order by keyboard, each with a visible focus", async () => {
    const controls = await page.tab.$$eval("a[href], summary, [tabindex='0'], input:checked", (all) =>
      all
        .filter((element) => element.checkVisibility())
        .map((element, index) => {
          element.setAttribute("data-place", String(index));
          return element.textContent;
        }),
    );
    assert.ok(controls.length > 100);
    for (const [place, text] of controls.entries()) {
      await page.tab.keyboard.press("Tab");
      const { at, visible } = await page.tab.evaluate(() => {
        const element = document.activeElement;
        const drawn = element?.querySelector(":scope > .head");
        const { outlineStyle, outlineWidth } = getComputedStyle(element ?? document.body);
        const ring = drawn ? getComputedStyle(drawn).strokeWidth : outlineStyle === "none" ? "0" : outlineWidth;
        const { top = 0, bottom = 0 } = element?.getBoundingClientRect() ?? {};
        return {
          at: element?.getAttribute("data-place"),
          visible: Number.parseFloat(ring) >= 2 && bottom > 0 && top < innerHeight,
        };
      });
      assert.equal(at, String(place), `Tab leads to ${text}`);
      assert.ok(visible, `the focus on ${text} is visible`);
    }
  });

  it("skips to the report, opens SQL, and follows a diagram's link by keyboard", async () => {
    await page.tab.keyboard.press("Tab");
    await page.tab.keyboard.press("Enter");
    assert.equal(await page.tab.evaluate(() => document.activeElement?.id), "main");
    await page.tab.focus("#plan summary");
    await page.tab.keyboard.press("Enter");
    const isShown = (selector: string) => page.tab.$eval(selector, (element) => element.checkVisibility());
    assert.equal(await isShown("#plan .statements"), true);
    await page.tab.$eval('[data-table="plugin_metrics"] a', (link) => (link as SVGAElement).focus());
    await page.tab.keyboard.press("Enter");
    assert.equal(await page.tab.$eval(":target", (element) => element.id), "table-plugin_metrics");
    assert.match(page.tab.url(), /#table-plugin_metrics$/);
    const focus = await page.tab.$eval(":target", (element) => element.getBoundingClientRect().top);
    assert.ok(focus >= 0 && focus < 900, `${focus}`);
  });

  it("is heard in its parts: landmarks, headings, tables and the diagram's tables", async () => {
    for (const width of Object.values(widths)) {
      await page.tab.setViewport({ width, height: 900 });
      const parts = await heard(page.tab);
      const named = (wanted: string) => parts.filter(({ role }) => role === wanted).map(({ name }) => name ?? "");
      for (const landmark of ["banner", "navigation", "main", "contentinfo"])
        assert.equal(named(landmark).length, 1, landmark);
      assert.deepEqual(named("heading").slice(0, 2), ["Migrations of unity on kubernetes-admin@homelab", "Plan"]);
      assert.equal(named("table").length, 2 + 17);
      assert.equal(named("columnheader").filter((name) => name === "Expected").length, 1);
      assert.ok(named("rowheader").includes("database-host"));
      const link = "users, 10 columns, referenced by 5 tables";
      assert.ok(named("link").includes(link), named("link").join("\n"));
      assert.ok(parts.some(({ name }) => name === "Diagram: 17 tables, 19 references"));
    }
  });

  it("fits a narrow window, closed and open", async () => {
    for (const width of [320, 375, 768]) {
      await page.tab.setViewport({ width, height: 700 });
      assert.equal(await page.overflow(), 0, `${width} pixels`);
    }
    await page.tab.setViewport({ width: 320, height: 700 });
    await page.unfold();
    assert.equal(await page.overflow(), 0);
  });

  it("prints what is closed, in light colors, and no contents", async () => {
    await page.prefer("dark");
    await page.tab.emulateMediaType("print");
    const seen = await page.tab.$$eval(".statements pre, #checks pre", (all) =>
      all.map((each) => each.checkVisibility()),
    );
    assert.ok(seen.length > 40 && seen.every(Boolean));
    assert.equal(await page.tab.$eval("nav", (element) => element.checkVisibility()), false);
    const background = await page.tab.$eval("body", (element) => getComputedStyle(element).backgroundColor);
    assert.equal(background, "rgb(255, 255, 255)");
  });
});
