import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import type { Browser, Page } from "puppeteer-core";

/** A report in a tab of its own, opened as a file. */
export class ReportPage {
  readonly tab: Page;
  /** Messages of the console, violations of the page's policy, requests other than the file's. */
  readonly complaints: string[] = [];

  private constructor(tab: Page) {
    this.tab = tab;
  }

  /** Writes a report's HTML to a file and opens it. */
  static async open(browser: Browser, file: string, html: string): Promise<ReportPage> {
    writeFileSync(file, html);
    const url = pathToFileURL(file).href;
    const tab = await browser.newPage();
    tab.setDefaultTimeout(120_000);
    const page = new ReportPage(tab);
    tab.on("console", (message) => page.complaints.push(message.text()));
    tab.on("pageerror", (error) => page.complaints.push(String(error)));
    tab.on("request", (request) => {
      if (request.url() === url || request.url().startsWith("data:")) return;
      page.complaints.push(`request to ${request.url()}`);
    });
    await tab.setViewport({ width: 1280, height: 900 });
    await tab.goto(url);
    return page;
  }

  /** Sets the preferred color scheme. */
  async prefer(scheme: "light" | "dark"): Promise<void> {
    await this.tab.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  }

  /** Opens all details. */
  async unfold(): Promise<void> {
    await this.tab.$$eval("details", (all) => {
      for (const each of all) each.open = true;
    });
  }

  /** Returns by how many pixels the page is wider than the window. */
  overflow(): Promise<number> {
    return this.tab.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  }
}

/** A rectangle, in pixels. */
export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Layout of the diagram, in its own units. */
export interface Shown {
  readonly frame: Rectangle;
  readonly boxes: readonly {
    readonly table: string;
    readonly frame: Rectangle;
    /** Painted texts, line by line. */
    readonly texts: readonly { readonly text: string; readonly at: Rectangle }[];
  }[];
  readonly lines: readonly {
    readonly from: string;
    readonly column: string;
    readonly to: string;
    /** Points from start to end, a few pixels apart. */
    readonly points: readonly { readonly x: number; readonly y: number }[];
  }[];
}

/** Measures the diagram as the browser laid it out. */
export function shown(tab: Page): Promise<Shown> {
  return tab.evaluate(() => {
    const rectangle = ({ x, y, width, height }: DOMRect) => ({ x, y, width, height });
    const svg = document.querySelector<SVGSVGElement>("svg.diagram");
    if (svg === null) throw new Error("diagram not found");
    const all = <E extends SVGGraphicsElement>(within: Element, selector: string) => [
      ...within.querySelectorAll<E>(selector),
    ];
    return {
      frame: rectangle(svg.viewBox.baseVal as unknown as DOMRect),
      boxes: all(svg, ".box").map((box) => ({
        table: box.dataset.table ?? "",
        frame: rectangle((box.querySelector(".frame") as SVGGraphicsElement).getBBox()),
        texts: all(box, "text")
          .filter(({ textContent }) => textContent !== "")
          .map((text) => ({ text: text.textContent ?? "", at: rectangle(text.getBBox()) })),
      })),
      lines: all<SVGPathElement>(svg, "path.line").map((line) => {
        const [length, { from = "", columns = "", to = "" }] = [line.getTotalLength(), line.dataset];
        const count = Math.ceil(length / 3);
        const points = Array.from({ length: count + 1 }, (_, index) => {
          const { x, y } = line.getPointAtLength((index * length) / count);
          return { x, y };
        });
        return { from, column: columns.split(",")[0] ?? "", to, points };
      }),
    };
  });
}

/**
 * Measures how much of each part of a screenshot differs from its most frequent color.
 *
 * @param png - File of the picture.
 * @param parts - Rectangles in the picture's pixels.
 * @returns A share from 0 to 1 of each part.
 */
export async function inkOf(browser: Browser, png: string, parts: readonly Rectangle[]): Promise<number[]> {
  const tab = await browser.newPage();
  const count = async (base64: string, parts: readonly Rectangle[]) => {
    const image = new Image();
    image.src = `data:image/png;base64,${base64}`;
    await image.decode();
    const canvas = new OffscreenCanvas(image.width, image.height).getContext("2d");
    if (canvas === null) throw new Error("no canvas");
    canvas.drawImage(image, 0, 0);
    return parts.map(({ x, y, width, height }) => {
      const { data } = canvas.getImageData(x, y, Math.max(1, width), Math.max(1, height));
      const colors = Map.groupBy(new Uint32Array(data.buffer), (pixel) => pixel);
      const most = Math.max(...[...colors.values()].map(({ length }) => length));
      return 1 - (4 * most) / data.length;
    });
  };
  try {
    return await tab.evaluate(count, readFileSync(png).toString("base64"), parts);
  } finally {
    await tab.close();
  }
}
