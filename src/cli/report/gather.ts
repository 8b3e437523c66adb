import { cutAt } from "../../lockfile/chain.ts";
import type { Lock } from "../../lockfile/lock.ts";
import { readLock } from "../../lockfile/read-lock.ts";
import { lockFile } from "../../paths.ts";
import { evaluate } from "../../plan/policy.ts";
import { readTables } from "../chain/schema.ts";
import { viewChain } from "../chain/view.ts";
import type { Progress } from "../progress.ts";
import { type Asked, ask, notAsked, type ReportSource } from "./ask.ts";
import { known, type Report, redacted } from "./report.ts";

/** @returns All that a report tells; what can't be had is part of it. @throws {CommandError} */
export async function gatherReport(source: ReportSource, progress: Progress): Promise<Report> {
  const madeAt = new Date().toISOString();
  const lock = readLock(lockFile);
  return assembleReport(lock, source.offline ? notAsked : await ask(lock, source, progress), madeAt);
}

/** @returns The report of a lock and of what was asked. */
export async function assembleReport(lock: Lock, asked: Asked, madeAt: string): Promise<Report> {
  const { reading, targetRevision, ...parts } = asked;
  const state = known(parts.live)?.state;
  const details = new Map(evaluate(lock.revisions, known(parts.plan)?.approvals ?? []).map((each) => [each.id, each]));
  return redacted({
    madeAt,
    ...parts,
    heads: targetRevision === undefined ? lock.heads : [targetRevision],
    revisions: viewChain(lock, reading && state && { reading, state }).flatMap((view) => {
      const revision = details.get(view.id);
      if (revision === undefined) return [];
      const { file, upgrade, downgrade, reversibleReason, findings, locks } = revision;
      return [{ ...view, file, upgrade, downgrade, reversibleReason, findings, locks }];
    }),
    tables: await readTables(targetRevision === undefined ? lock : cutAt(lock, targetRevision)),
  });
}
