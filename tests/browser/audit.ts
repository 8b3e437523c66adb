import axe from "axe-core";
import type { Page, SerializedAXNode } from "puppeteer-core";

/** Results of axe for a page. */
export interface Audit {
  /** Names of the rules that hold. */
  readonly passed: string[];
  /** Serious and critical violations. */
  readonly grave: (readonly [rule: string, html: string])[];
}

/** Runs axe on a page. */
export async function audit(tab: Page): Promise<Audit> {
  await tab.evaluate(axe.source);
  const run = () => (window as unknown as { axe: typeof axe }).axe.run();
  const { violations, passes } = await tab.evaluate(run);
  const grave = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  return {
    passed: passes.map(({ id }) => id),
    grave: grave.flatMap(({ id, nodes }) => nodes.map(({ html }) => [id, html] as const)),
  };
}

/** Returns the accessibility tree of a page, node by node. */
export async function heard(tab: Page): Promise<SerializedAXNode[]> {
  const all = (part: SerializedAXNode): SerializedAXNode[] => [part, ...(part.children ?? []).flatMap(all)];
  const tree = await tab.accessibility.snapshot({ interestingOnly: false });
  return tree === null ? [] : all(tree);
}
