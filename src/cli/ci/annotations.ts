import { singleLine } from "../../lockfile/describe.ts";
import { printable } from "../../printable.ts";
import type { Remark } from "./remarks.ts";

/**
 * Returns a command of GitHub Actions for each remark, errors first, because a step shows only ten of each level
 * (https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands).
 */
export function githubAnnotations(remarks: readonly Remark[]): string[] {
  const order = [...remarks].sort((a, b) => Number(a.level !== "error") - Number(b.level !== "error"));
  return order.map(({ level, approved, file, line, rule, message, help }) => {
    const command = approved ? "notice" : level;
    const properties = { file, line: String(line), title: approved ? `${rule} (approved)` : rule };
    const pairs = Object.entries(properties).map(([key, value]) => `${key}=${escapeProperty(value)}`);
    return `::${command} ${pairs.join(",")}::${escapeData(singleLine(`${message} ${help ?? ""}`))}`;
  });
}

/** Escapes a message as the runner's toolkit does, so that it can't end the command and begin another one. */
function escapeData(text: string): string {
  return printable(text).replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
