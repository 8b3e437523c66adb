import type { LiveState } from "../../plan/live-state.ts";
import { type Description, describeState } from "../../plan/state-report.ts";
import type { DocumentInputs } from "./inputs.ts";

/** A state of the database, as the documents describe it. */
export interface StateDescription extends Description {
  readonly kind: LiveState["kind"];
  readonly heading: string;
  /** How Alembic and psql show it. */
  readonly symptom: string;
}

/** Returns a sample of each state, with revisions of the chain where possible. */
function samples({ revisions, release }: DocumentInputs): Record<LiveState["kind"], LiveState> {
  const middle = revisions[Math.floor((revisions.length - 1) / 2)];
  const at = middle?.id ?? release.head;
  const left = revisions.length - (middle?.position ?? 0);
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

const texts: Record<LiveState["kind"], Pick<StateDescription, "heading" | "symptom">> = {
  "not-deployed": {
    heading: "Not deployed",
    symptom: "`kubectl get pods` shows neither the backend nor PostgreSQL.",
  },
  "never-applied": {
    heading: "Never applied",
    symptom: "`alembic current` prints nothing, no tables exist, and the backend's log reports missing tables.",
  },
  behind: {
    heading: "Behind the latest revision",
    symptom: "`alembic current` prints an older revision, and only its tables exist.",
  },
  "at-head": {
    heading: "Up to date",
    symptom: "`alembic current` prints the latest revision and `(head)`.",
  },
  "beyond-target": {
    heading: "Beyond the stack's target",
    symptom: "`targetRevision` is older than the database's revision.",
  },
  ahead: {
    heading: "Ahead and tolerated",
    symptom: "A later release has migrated the database, and `toleratedRevisions` contains its revision.",
  },
  "unknown-revision": {
    heading: "Unknown revision",
    symptom:
      "`alembic current` fails: `Can't locate revision identified by …`. Another release or backend has migrated the database.",
  },
  "overlapping-revisions": {
    heading: "Overlapping revisions",
    symptom: "The version table has several rows, such as after `alembic stamp` or a manual edit.",
  },
  unreachable: {
    heading: "Database unavailable",
    symptom: "Its pod is down, or the backend can't connect: wrong password, wrong host, full disk.",
  },
};

/** Describes every state as the program does. */
export function describeStates(inputs: DocumentInputs): readonly StateDescription[] {
  return Object.values(samples(inputs)).map((state) => describe(inputs, state));
}

/** Describes one state as the program does. */
export function describeSample(inputs: DocumentInputs, kind: LiveState["kind"]): StateDescription {
  return describe(inputs, samples(inputs)[kind]);
}

function describe({ release, settings }: DocumentInputs, state: LiveState): StateDescription {
  const targetOptions = state.kind === "beyond-target" ? { targetRevision: state.target } : {};
  const described = describeState(state, release.lock, settings, targetOptions);
  return { kind: state.kind, ...texts[state.kind], ...described };
}
