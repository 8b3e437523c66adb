/**
 * Inputs of a command that runs one of the project's own programs.
 *
 * The program and its only word come as arguments: no text of the configuration ever reaches a shell.
 */
export function fixedProgram(file: string, word: string) {
  return { interpreter: ["node", file], create: word, addPreviousOutputInEnv: false };
}
