import { commandLine } from "../command-line.ts";

/** How the reader of a message changes what a plan depends on, each after "To …, ". */
export interface Remedies {
  readonly allowDowngrade: string;
  /** Accept revisions that the lockfile lacks. */
  tolerate(revisions: readonly string[]): string;
  /** Pin a plan by its hash. */
  pin(hash: string): string;
  /** Where approvals belong, and the line before the entries. */
  readonly approvals: readonly [place: string, heading: string];
  /** Print statements in full. */
  readonly printAll: string;
  /** Connect to another cluster. */
  readonly useOtherContext: string;
  /**
   * Returns the command that shows the database's revisions.
   *
   * @param kubectl - kubectl with the arguments that select the namespace.
   */
  inspect(kubectl: string): string;
}

/** Remedies for Unity's stacks, by their settings. */
export const stackRemedies: Remedies = {
  allowDowngrade: "run: pulumi config set allowDowngrade true && pulumi config set restorePoint true",
  tolerate: (revisions) => `run: pulumi config set toleratedRevisions ${revisions.join(",")}`,
  pin: (hash) => `run: pulumi config set planHash ${hash}`,
  approvals: [
    "add to `config:` in the stack's file, Pulumi.<stack>.yaml (or to its existing approvals):",
    "  unity:approvals:",
  ],
  printAll: `run: ${commandLine("plan", "--full")}`,
  useOtherContext: "run: pulumi config set context <name>",
  inspect: (kubectl) => `${kubectl} exec deployment/unity-backend -- alembic current --verbose`,
};

/** Remedies for other programs, by the arguments of `planMigration`. */
export const programRemedies: Remedies = {
  allowDowngrade:
    "pass to planMigration: policy: { allowDowngrade: true, restorePoint: { image: <PostgreSQL image> } }",
  tolerate: (revisions) => `pass to planMigration: policy: { toleratedRevisions: ${JSON.stringify(revisions)} }`,
  pin: (hash) => `pass to planMigration: policy: { planHash: ${JSON.stringify(hash)} }`,
  approvals: ["pass to planMigration (or add to the existing approvals):", "  policy.approvals:"],
  printAll: "read migrations.lock.json",
  useOtherContext: "pass it to planMigration: cluster: { context: <name> }",
  inspect: (kubectl) => `${kubectl} exec <pod of the app> -- alembic current --verbose`,
};
