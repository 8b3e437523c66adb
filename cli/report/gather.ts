import { judge } from "../../migrations/policy.ts";
import { readLock } from "../../migrations/read-lock.ts";
import { cutAt } from "../../migrations/target.ts";
import { readTables } from "../chain/schema.ts";
import { viewChain } from "../chain/view.ts";
import { lockFile } from "../lock-file.ts";
import { type Asked, ask, notAsked, type ReportSource } from "./ask.ts";
import { known, type Report, redacted } from "./report.ts";

/** @returns All that a report tells; what can't be had is part of it. @throws {CommandError} */
export async function gatherReport(source: ReportSource, now = new Date()): Promise<Report> {
  const lock = readLock(lockFile);
  const { reading, targetRevision, ...asked }: Asked = source.offline ? notAsked : await ask(lock, source);
  const state = known(asked.live)?.state;
  const details = new Map(judge(lock.revisions, known(asked.plan)?.approvals ?? []).map((each) => [each.id, each]));
  const views = viewChain(lock, reading && state && { reading, state });
  return redacted({
    madeAt: now.toISOString(),
    ...asked,
    heads: targetRevision === undefined ? lock.heads : [targetRevision],
    revisions: views.flatMap((view) => {
      const revision = details.get(view.id);
      if (revision === undefined) return [];
      const { file, upgrade, downgrade, reversibleReason, findings, locks } = revision;
      return [{ ...view, file, upgrade, downgrade, reversibleReason, findings, locks }];
    }),
    tables: await readTables(targetRevision === undefined ? lock : cutAt(lock, targetRevision)),
  });
}
