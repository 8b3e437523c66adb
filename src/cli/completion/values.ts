import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { checkNames } from "../../checks/names.ts";
import { readLock } from "../../lockfile/read-lock.ts";
import { lockFile } from "../lock-file.ts";
import { stackFiles } from "../stack-options.ts";

/** What a value may be: one of some words, or a path. */
export type Values = readonly string[] | "files" | "folders";

const revisions = () => readLock(lockFile).revisions.map(({ id }) => id);

/** Contexts of the user's kubeconfig. */
function contexts(): readonly string[] {
  const { status, stdout } = spawnSync("kubectl", ["config", "get-contexts", "--output=name"], {
    encoding: "utf8",
    timeout: 2000,
  });
  return status === 0 ? stdout.split("\n").filter((name) => name !== "") : [];
}

/** Stacks that have a file in the current folder. */
const stacks = () => stackFiles(readdirSync(".")).map(({ stack }) => stack);

/** Values of options and arguments that commander has no choices of, by the option's long name or the argument's name. */
const known: Readonly<Record<string, () => Values>> = {
  "--backend": () => "folders",
  "--config-file": () => "files",
  "--context": contexts,
  "--from": stacks,
  "--output": () => "folders",
  "--python": () => "files",
  "--rewrite": revisions,
  "--stack": stacks,
  "--to": stacks,
  "--svg": () => "files",
  check: () => checkNames,
  revision: revisions,
};

/** @returns What a value of this name may be; nothing if that is not known. */
export function valuesOf(name: string): Values {
  try {
    return known[name]?.() ?? [];
  } catch {
    return []; // no lock, no folder: nothing to offer
  }
}
