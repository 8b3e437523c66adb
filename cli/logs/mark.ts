import { isDatabaseError } from "../../cluster/database-errors.ts";

const red = "\u001b[31m";
const plain = "\u001b[0m";

/** @returns A line of a log with a mark in front if it tells of a database error. kubectl may have put the pod first. */
export function markLine(line: string, colours: boolean): string {
  if (!isDatabaseError(line.replace(/^\[pod\/[^\]]*\] /, ""))) return `  ${line}`;
  return colours ? `${red}! ${line}${plain}` : `! ${line}`;
}

/** Whether output takes colours: a terminal does, unless its user wants none (https://no-color.org). */
export function takesColours({ isTTY }: { readonly isTTY?: boolean }, { NO_COLOR }: NodeJS.ProcessEnv): boolean {
  return isTTY === true && (NO_COLOR ?? "") === "";
}
