/** Prints a result and ends: what hangs, such as a kubectl or a child of one, is not waited for. */
export function endWith(text: string, exitCode: number): Promise<never> {
  // Who reads it, such as `head`, may have had enough.
  process.stdout.on("error", () => process.exit(exitCode));
  return new Promise(() => process.stdout.write(text === "" ? "" : `${text}\n`, () => process.exit(exitCode)));
}
