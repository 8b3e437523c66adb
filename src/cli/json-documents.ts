import type { CheckResult } from "../checks/result.ts";
import type { Plan } from "../plan/plan.ts";
import type { RunRecord } from "../plan/run-record.ts";
import type { Applied } from "./apply/apply.ts";
import type { ChainDocument } from "./chain/run.ts";
import type { WrittenOrChecked } from "./generated-files.ts";
import type { LockOutcome } from "./lock/run.ts";
import type { LogLine } from "./logs/line.ts";
import type { Checked } from "./migrate/run.ts";
import type { Promotion } from "./promote/run.ts";
import type { Report } from "./report/report.ts";
import type { RestorePoint } from "./restore/restore-point.ts";
import type { Restored } from "./restore/run.ts";
import type { RevisionOutcome } from "./revision/run.ts";
import type { Status } from "./status/run.ts";

/** What `--json` prints, by command: one document on standard output, and nothing else there. */
export interface JsonDocuments {
  /** How applying ended. */
  readonly apply: Applied;
  /** The chain, and where the database is if it was asked. */
  readonly chain: ChainDocument;
  /** What was applied, and what the checks found. */
  readonly check: Checked;
  /** The documents that were written, or in what they differ. */
  readonly docs: WrittenOrChecked;
  /** Runs, the oldest first. */
  readonly history: readonly RunRecord[];
  /** What Alembic says, and what of it is not in the lock. */
  readonly lock: LockOutcome;
  /** Lines of the log; with `--follow`, no array: one line of JSON for each. */
  readonly logs: readonly LogLine[];
  /** What `pulumi up` would do to the database. */
  readonly plan: Plan;
  /** What would move from one stack to another, or has. */
  readonly promote: Promotion;
  /** The files that were written, or in what they differ. */
  readonly render: WrittenOrChecked;
  /** All that the report tells; no file is written. */
  readonly report: Report;
  /** What the database was put back to; with `--list` the restore points, the oldest first. */
  readonly restore: Restored | readonly RestorePoint[];
  /** The file that was made. */
  readonly revision: RevisionOutcome;
  /** Where the database is, and the migrate Jobs. */
  readonly status: Status;
  /** Results in the order of the checks' list. */
  readonly verify: readonly CheckResult[];
}

/** What `--json` prints instead if a command ends without a result; it is the last line of `logs --follow`. */
export interface ErrorDocument {
  /** Why there is none. */
  readonly error: {
    /** What went wrong, and what to do. */
    readonly message: string;
    /** What the command exits with. */
    readonly exitCode: number;
  };
}
