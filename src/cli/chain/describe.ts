import type { Expected } from "../../checks/result.ts";
import type { Description } from "../../plan/live-state.ts";
import { expectedOutputs } from "./expected-outputs.ts";
import { drawPicture } from "./picture.ts";
import type { TableView } from "./schema.ts";
import { describeSchema } from "./schema-text.ts";
import type { RevisionView } from "./view.ts";

/** All that `unity chain` shows. */
export interface ChainDescription {
  readonly revisions: readonly RevisionView[];
  readonly tables: readonly TableView[];
  /** Where the database is, if it was asked. */
  readonly live?: Description | undefined;
  /** What a database at the head answers. */
  readonly expected: Expected;
}

/** @returns One line on the chain as a whole. */
export function summarize({ revisions, tables, expected }: Omit<ChainDescription, "live">): string {
  const several = (count: number, noun: string) => `${count} ${noun}${count === 1 ? "" : "s"}`;
  return `${several(revisions.length, "revision")}, ${several(tables.length, "table")}; latest: ${expected.head}`;
}

/** @returns The chain for people: picture, schema and what a database at its head answers. */
export function describeChain(chain: ChainDescription): string {
  const { revisions, tables, live, expected } = chain;
  const where = live === undefined ? [] : [live.message, live.remediation, ""];
  const outputs = expectedOutputs(expected).flatMap(({ title, command, prints }) => [
    "",
    title,
    `  $ ${command}`,
    ...prints.map((line) => `  ${line}`),
  ]);
  return [
    `The chain: ${summarize(chain)}`,
    "",
    ...where,
    ...drawPicture(revisions),
    "",
    "Schema at the head: the revision that makes a table, its columns, what they point at",
    "",
    ...describeSchema(tables, revisions),
    "",
    "What a database at the head and its backend answer",
    ...outputs,
  ].join("\n");
}
