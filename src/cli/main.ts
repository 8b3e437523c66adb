#!/usr/bin/env node
import "../short-lived.ts";

// Only now, so that they come from the cache.
const [{ unityProgram }, { reportError }, { printable }] = await Promise.all([
  import("./program.ts"),
  import("./command.ts"),
  import("../printable.ts"),
]);

const end = process.argv.indexOf("--");
const json = process.argv.slice(2, end < 0 ? undefined : end).includes("--json");
try {
  await unityProgram((text) => json || process.stderr.write(printable(text))).parseAsync();
} catch (error) {
  await reportError(error, json);
}
