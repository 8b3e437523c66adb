// Colors as the browser computed them, and the contrast between them (WCAG 2.2, 1.4.3 and 1.4.11).
import type { Page } from "puppeteer-core";

/** Contrast of an element's text or control with its background. */
export interface Seen {
  /** Tag, class and text, for messages. */
  readonly what: string;
  readonly ratio: number;
}

/** Contrasts of a page. */
export interface Contrasts {
  /** Relative luminance of the page's background: 0 is black, 1 is white. */
  readonly background: number;
  /** Each element with text of its own. */
  readonly texts: readonly Seen[];
  /** Each button that can be used: its border, or its background, against the surface around it. */
  readonly controls: readonly Seen[];
  /** The ring of what has the keyboard's focus against the surface around it. */
  readonly focus: number;
}

/** Computes the contrasts of all that is visible. The functions are inside, as they run in the page. */
export function contrasts(page: Page): Promise<Contrasts> {
  return page.evaluate(() => {
    const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    if (canvas === null) throw new Error("no canvas");
    const rgba = (color: string): readonly number[] => {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = color;
      canvas.fillRect(0, 0, 1, 1);
      return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const luminance = (color: string) => {
      const [r = 0, g = 0, b = 0] = rgba(color).map((byte) => {
        const part = byte / 255;
        return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ratio = (one: string, other: string) => {
      const [low = 0, high = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
      return (high + 0.05) / (low + 0.05);
    };
    const isOpaque = (color: string) => rgba(color)[3] === 255;
    const behind = (element: Element | null): string => {
      for (let at = element; at !== null; at = at.parentElement) {
        const drawn = at instanceof SVGElement ? at.querySelector(":scope > rect, :scope > path") : null;
        const color = drawn === null ? getComputedStyle(at).backgroundColor : getComputedStyle(drawn).fill;
        if (isOpaque(color)) return color;
      }
      return "white";
    };
    const ink = (element: Element) => getComputedStyle(element)[element instanceof SVGElement ? "fill" : "color"];
    const name = (element: Element) => `${element.localName}.${element.className} "${element.textContent?.trim()}"`;
    const visible = [...document.body.querySelectorAll<HTMLElement>("*")].filter(
      (element) => element.checkVisibility() && element.closest(".hidden, noscript") === null,
    );
    const hasText = (element: Element) =>
      [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent?.trim() !== "");
    const texts = visible.filter(hasText).map((element) => {
      return { what: name(element), ratio: ratio(ink(element), behind(element)) };
    });
    const outlined = visible.filter((element) => element.matches("button:not(.quiet)"));
    const controls = outlined.map((button) => {
      const around = behind(button.parentElement);
      const { borderTopColor, backgroundColor } = getComputedStyle(button);
      return { what: name(button), ratio: Math.max(ratio(borderTopColor, around), ratio(backgroundColor, around)) };
    });
    const focused = document.activeElement;
    if (!focused?.matches(":focus-visible")) throw new Error("nothing has the keyboard's focus");
    const focus = ratio(getComputedStyle(focused).outlineColor, behind(focused.parentElement));
    return { background: luminance(behind(document.body)), texts, controls, focus };
  });
}
