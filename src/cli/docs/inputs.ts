import { type Expected, expectedOf } from "../../checks/result.ts";
import { cutAt } from "../../lockfile/chain.ts";
import { checkTarget } from "../../preflight/options.ts";
import type { Release } from "../../preflight/release.ts";
import type { Settings } from "../../settings/settings.ts";
import { readSchema, type TableView } from "../chain/schema.ts";
import { type RevisionView, viewChain } from "../chain/view.ts";

/** A command of `pulumi-alembic` in its help. */
export interface CommandSummary {
  readonly name: string;
  readonly description: string;
}

/** Sources of the documents. */
export interface DocumentInputs {
  readonly settings: Settings;
  readonly release: Release;
  readonly revisions: readonly RevisionView[];
  readonly tables: readonly TableView[];
  readonly expected: Expected;
  readonly commands: readonly CommandSummary[];
}

/** Returns the sources of a release's documents. */
export async function documentInputs(
  settings: Settings,
  release: Release,
  commands: readonly CommandSummary[],
): Promise<DocumentInputs> {
  const lock = cutAt(release.lock, release.head);
  return {
    settings,
    release,
    revisions: viewChain(lock),
    tables: await readSchema(lock),
    expected: expectedOf(checkTarget(settings, release), release.lock),
    commands,
  };
}
