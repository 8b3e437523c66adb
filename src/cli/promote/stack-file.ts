import { readFileSync, writeFileSync } from "node:fs";
import { isMap, parseDocument } from "yaml";
import { CommandError } from "../result.ts";

/** Settings to write, without the project's prefix; `null` takes one away. */
export type Changes = Readonly<Record<string, string | null>>;

/**
 * @param text A stack's file.
 * @returns The file with these settings, all else as it was, comments too.
 */
export function withSettingsChanged(text: string, changes: Changes): string {
  const document = parseDocument(text);
  if (!isMap(document.contents)) document.contents = document.createNode({}) as never;
  for (const [key, value] of Object.entries(changes)) {
    const path = ["config", `unity:${key}`];
    if (value === null) document.hasIn(path) && document.deleteIn(path);
    else document.setIn(path, value);
  }
  return document.toString({ lineWidth: 0 });
}

/** Writes settings into a stack's file. @throws {CommandError} If it can't be. */
export function writeSettings(file: string, changes: Changes): void {
  try {
    writeFileSync(file, withSettingsChanged(readFileSync(file, "utf8"), changes));
  } catch (error) {
    throw new CommandError(`${file} can't be written: ${error instanceof Error ? error.message : error}`);
  }
}
