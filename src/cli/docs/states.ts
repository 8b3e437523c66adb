import { type Description, describeState, type LiveState } from "../../plan/live-state.ts";
import type { DocumentInputs } from "./inputs.ts";

/** A state that a database can be in, for a document. */
export interface StateAccount extends Description {
  readonly kind: LiveState["kind"];
  readonly heading: string;
  /** What shows it to a person who has only Alembic and psql. */
  readonly symptom: string;
}

/** Samples of every state: a revision in the middle where one is needed, and names that explain themselves elsewhere. */
function samples({ revisions, release }: DocumentInputs): Record<LiveState["kind"], LiveState> {
  const middle = revisions[Math.floor((revisions.length - 1) / 2)];
  const [at, left] = [middle?.id ?? release.head, revisions.length - (middle?.position ?? 0)];
  return {
    "not-deployed": { kind: "not-deployed" },
    "never-applied": { kind: "never-applied" },
    behind: { kind: "behind", revisions: [at], pending: left },
    "at-head": { kind: "at-head", revision: release.head },
    "beyond-target": { kind: "beyond-target", revisions: [release.head], target: at, undo: left },
    ahead: { kind: "ahead", revisions: ["later_revision"] },
    "unknown-revision": { kind: "unknown-revision", revisions: ["ffffffffffff"] },
    "overlapping-revisions": { kind: "overlapping-revisions", revisions: [at, release.head], implied: [at] },
    unreachable: { kind: "unreachable", what: "database", cause: "postgres: the database system is starting up" },
  };
}

const args: Record<LiveState["kind"], Pick<StateAccount, "heading" | "symptom">> = {
  "not-deployed": {
    heading: "Nothing is deployed",
    symptom: "`kubectl get pods` shows neither the backend nor PostgreSQL.",
  },
  "never-applied": {
    heading: "Never applied",
    symptom: "`alembic current` prints nothing, there are no tables, and the backend's log tells of missing ones.",
  },
  behind: {
    heading: "Partial: behind the latest revision",
    symptom: "`alembic current` prints an older revision, and only the tables up to it are there.",
  },
  "at-head": {
    heading: "Already applied",
    symptom: "`alembic current` prints the latest revision and `(head)`. Only verify.",
  },
  "beyond-target": {
    heading: "Beyond the stack's target",
    symptom: "`targetRevision` is set to an older revision than the database has.",
  },
  ahead: {
    heading: "Ahead, and tolerated",
    symptom: "A later release has migrated the database, and `toleratedRevisions` says that this one runs on it.",
  },
  "unknown-revision": {
    heading: "At an unknown revision",
    symptom: "`alembic current` fails: `Can't locate revision identified by …`. A newer or another backend was here.",
  },
  "overlapping-revisions": {
    heading: "Several rows that imply each other",
    symptom: "`SELECT * FROM alembic_version` has more than one row, as after `alembic stamp` or an edit by hand.",
  },
  unreachable: {
    heading: "The database can't be asked",
    symptom: "Its pod is down, or the backend's can't connect: wrong password, wrong host, no room on the disk.",
  },
};

/** @returns Every state with what the program says of it, and tells a person to do. */
export function stateAccounts(inputs: DocumentInputs): readonly StateAccount[] {
  const { release, settings } = inputs;
  return Object.values(samples(inputs)).map((state) => {
    const targetOptions = state.kind === "beyond-target" ? { targetRevision: state.target } : {};
    const described = describeState(state, release.lock, settings, targetOptions);
    return { kind: state.kind, ...args[state.kind], ...described };
  });
}

/** @returns The account of one state. */
export function accountOf(inputs: DocumentInputs, kind: LiveState["kind"]): StateAccount {
  const found = stateAccounts(inputs).find((account) => account.kind === kind);
  if (found === undefined) throw new Error(`There is no account of the state ${kind}.`);
  return found;
}
