/** Prints a command's result and ends: what hangs, such as a kubectl or a child of one, is not waited for. */
export function endWith(text: string, exitCode: number): Promise<never> {
  return new Promise(() => process.stdout.write(`${text}\n`, () => process.exit(exitCode)));
}
