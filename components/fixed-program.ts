import { extname, join, relative, sep } from "node:path";
import { projectRoot } from "../src/paths.ts";

/**
 * Inputs of a command that runs one of the project's own programs.
 *
 * The program and its only word come as arguments: no text of the configuration ever reaches a shell. The path is
 * relative to the folder of the Pulumi program, in which commands run, so that it is the same on each machine: the
 * project's own, or one that has it as a package, which is JavaScript.
 *
 * @param file Path in the project, without its ending.
 */
export function fixedProgram(file: string, word: string) {
  const path = join(projectRoot, `${file}${extname(import.meta.filename)}`);
  const program = relative(process.cwd(), path).split(sep).join("/");
  return { interpreter: ["node", program], create: word, addPreviousOutputInEnv: false };
}
