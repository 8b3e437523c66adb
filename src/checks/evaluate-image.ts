import { names, ports } from "../manifests/names.ts";
import type { ImageFacts } from "./pod-facts.ts";
import type { CheckFinding, Expected } from "./result.ts";
import { shortened, some } from "./text.ts";

/** Judges whether the image holds the chain that was reviewed, `alembic.ini`, and an `env.py` that reads the environment. */
export function evaluateImage({ files, extra, ini, env }: ImageFacts, { chain }: Expected): CheckFinding {
  const errors = [
    ...chain.revisions.flatMap(({ file, sha256 }) => {
      const found = files[file] ?? null;
      if (found === sha256) return [];
      return [found === null ? `${file} is missing` : `${file} is not the file that was locked`];
    }),
    ...extra.map((file) => `${file} is not in the lock`),
    ...(ini === null ? [] : [ini]),
    ...(env === null ? [] : [env]),
  ];
  return {
    passed: errors.length === 0,
    expected: `the ${chain.revisions.length} revision files of the lock, alembic.ini, an env.py that reads DATABASE_URL`,
    found: errors.length === 0 ? "all of them" : shortened(some(errors)),
  };
}

/** Judges where DATABASE_URL points to, of which nothing is shown: its parts may be parts of a password. */
export function evaluateDatabaseHost({ address }: ImageFacts, { owned }: Expected): CheckFinding {
  const where = `${names.postgresService}:${ports.postgres}/${names.database}`;
  const expected = owned ? `DATABASE_URL points to ${where}` : "DATABASE_URL is the URL of a PostgreSQL database";
  const finding = (found: string) => ({ passed: false, expected, found });
  if (!address.set) return finding("DATABASE_URL is not set");
  if (!address.url) return finding("its value (not shown) is no URL of a PostgreSQL database with a host");
  const other = owned ? (["host", "port", "database"] as const).filter((part) => !address[part]) : [];
  if (other.length > 0) return finding(`it has another ${other.join(" and another ")} (not shown)`);
  return { passed: true, expected, found: owned ? "it does" : "it is" };
}
