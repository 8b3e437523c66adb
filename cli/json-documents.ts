import type { CheckResult } from "../checks/result.ts";
import type { Plan } from "../migrations/plan.ts";
import type { RunRecord } from "../migrations/run-record.ts";
import type { Applied } from "./apply/apply.ts";
import type { ChainDocument } from "./chain/run.ts";
import type { Checked } from "./check/run.ts";
import type { WrittenOrChecked } from "./generated-files.ts";
import type { LockOutcome } from "./lock/run.ts";
import type { LogLine } from "./logs/line.ts";
import type { RestorePoint } from "./restore/restore-point.ts";
import type { Restored } from "./restore/run.ts";
import type { Status } from "./status/run.ts";

/** What `--json` prints, by command: one document on standard output, and nothing else there. */
export interface JsonDocuments {
  readonly apply: Applied;
  readonly chain: ChainDocument;
  readonly check: Checked;
  readonly docs: WrittenOrChecked;
  /** Oldest first. */
  readonly history: readonly RunRecord[];
  readonly lock: LockOutcome;
  /** With `--follow`, no array: one line of JSON for each. */
  readonly logs: readonly LogLine[];
  readonly plan: Plan;
  readonly render: WrittenOrChecked;
  /** With `--list`: the restore points, oldest first. */
  readonly restore: Restored | readonly RestorePoint[];
  readonly status: Status;
  /** In the order of the checks' list. */
  readonly verify: readonly CheckResult[];
}

/** What `--json` prints instead if a command ends without a result; it is the last line of `logs --follow`. */
export interface ErrorDocument {
  readonly error: {
    /** What went wrong, and what to do. */
    readonly message: string;
    /** What the command exits with. */
    readonly exitCode: number;
  };
}
