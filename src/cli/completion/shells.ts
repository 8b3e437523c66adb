import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Shells that have a script, each with where its user puts the line that loads it. */
export const shells = {
  bash: "source <(unity completion bash)      in ~/.bashrc",
  zsh: "source <(unity completion zsh)       in ~/.zshrc, after compinit",
  fish: "unity completion fish | source       in ~/.config/fish/config.fish",
} as const;

/** Name of a shell. */
export type Shell = keyof typeof shells;

/** @returns The script that completes `unity` in a shell. */
export function scriptOf(shell: Shell): string {
  return readFileSync(join(import.meta.dirname, `unity.${shell}`), "utf8").trimEnd();
}
