import { writeFileSync } from "node:fs";
import { CommandError } from "./command-error.ts";

/** Writes a file in place of the one that was there. @throws {CommandError} If it can't be written. */
export function writeText(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new CommandError(`${file} can't be written: ${error instanceof Error ? error.message : error}`);
  }
}
