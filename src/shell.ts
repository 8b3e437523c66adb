/** Quotes an argument for a POSIX shell, if it needs quotes. */
export function quote(argument: string): string {
  return /^[\w./:@=+-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
}
