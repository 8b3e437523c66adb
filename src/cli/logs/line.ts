import { styleText } from "node:util";
import { isDatabaseError } from "../../cluster/database-errors.ts";
import { formats } from "../highlight.ts";

/** One line of a log. */
export interface LogLine {
  /** The pod that wrote it; `null` where kubectl does not say it. */
  readonly pod: string | null;
  readonly line: string;
  /** Whether it tells of a database error. */
  readonly databaseError: boolean;
}

/** @returns What a line says that kubectl may have put `[pod/<name>/<container>] ` before. */
export function parseLine(text: string): LogLine {
  const [, pod = null, line = text] = /^\[pod\/([^/\]]+)[^\]]*\] (.*)$/.exec(text) ?? [];
  return { pod, line, databaseError: isDatabaseError(line) };
}

/** @returns The line with a mark in front if it tells of a database error; on a terminal in colour as well. */
export function markLine(text: string, stream: NodeJS.WritableStream = process.stdout): string {
  return parseLine(text).databaseError ? styleText(formats.bad, `! ${text}`, { stream }) : `  ${text}`;
}
