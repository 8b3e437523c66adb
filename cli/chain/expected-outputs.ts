import { checks } from "../../checks/definitions.ts";
import { type CheckName, checkNames } from "../../checks/names.ts";
import type { Expected } from "../../checks/result.ts";
import { names } from "../../manifests/names.ts";

/** One thing to look at after a deployment, by hand. */
export interface ExpectedOutput {
  /** What it proves. */
  readonly title: string;
  readonly command: string;
  /** What the command prints if all is well, line by line; `…` stands for what may differ. */
  readonly prints: readonly string[];
}

const samples: Partial<Record<CheckName, (expected: Expected) => readonly string[]>> = {
  revision: ({ head }) => [`${head} (head)`],
  pods: () => [`${names.backend}-…   1/1   Running   …`],
  health: ({ head }) => [
    "{",
    '  "status": "healthy",',
    `  "components": { "database": { "status": "healthy", "revision": "${head}", … } }`,
    "}",
  ],
  plugins: () => ['[{"id":"…","name":"…","version":"…","enabled":…}, …]'],
  tables: ({ tables }) => tables.map((table) => ` public | ${table} | table | ${names.databaseOwner}`),
};

/** @returns What a person types to see that a release is there, by the checks of `up`, and what that prints. */
export function expectedOutputs(expected: Expected): readonly ExpectedOutput[] {
  return checkNames.map((name) => ({
    title: checks[name].title,
    command: checks[name].command(expected),
    prints: samples[name]?.(expected) ?? [],
  }));
}
