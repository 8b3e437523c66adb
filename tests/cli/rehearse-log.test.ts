import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { pythonEnvironment } from "../../src/cli/python-environment.ts";
import type { RehearseOutcome } from "../../src/cli/rehearse/run.ts";
import { openParser } from "../../src/lockfile/sql-parser.ts";
import { projectRoot } from "../../src/paths.ts";
import { ChainProject } from "../fixtures/chains/project.ts";
import { statementForms } from "../fixtures/chains/statement-forms.ts";
import { type Postgres, startPostgres } from "../support/postgres.ts";
import { unityIn } from "./unity.ts";

const fastapi = "examples/fastapi";
const parts = { SERVER: "host", PORT: "port", USER: "user", PASSWORD: "password", DB: "database" };
const apps: readonly { folder: string; env?: NodeJS.ProcessEnv; args?: readonly string[] }[] = [
  { folder: "backend" },
  { folder: "examples/notes/app" },
  {
    folder: `${fastapi}/backend`,
    env: parseEnv(readFileSync(join(projectRoot, fastapi, ".env.example"), "utf8")),
    args: Object.entries(parts).flatMap(([name, part]) => ["--env", `POSTGRES_${name}={${part}}`]),
  },
  { folder: "examples/flask/backend", env: { SECRET_KEY: "any" } },
];

/** Properties of a tree that are places in the text. */
const places = /^(location|rexpr_list_(start|end))$/;

describe("statements of a rehearsal, compared with the server's log", () => {
  let postgres: Postgres;
  let log = "";
  let parse: Awaited<ReturnType<typeof openParser>>;
  before(async () => {
    const settings = { log_statement: "all", log_line_prefix: "%p|" };
    parse = await openParser();
    postgres = await startPostgres(settings, (text) => {
      log += text;
    });
  });
  after(() => postgres?.stop());

  /** Rehearses a chain, and compares each statement with those that the server logged, in their order. */
  async function compare(folder: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<void> {
    log = "";
    const environment = { ...env, REHEARSAL_DATABASE_URL: postgres.url.replace("@", ":any@") };
    const { code, stdout } = await unityIn(environment, "rehearse", "--backend", folder, "--check", "--json", ...args);
    assert.equal(code, 0, stdout);
    const { revisions } = JSON.parse(stdout) as RehearseOutcome;
    const ran = revisions.flatMap(({ upgrade, downgrade }) => [...upgrade, ...downgrade, ...upgrade]);
    const found = ran.filter(({ readsCatalog }) => !readsCatalog).flatMap(({ sql }) => trees(sql));
    assert.ok(found.length > revisions.length);
    assert.deepEqual(found, logged().flatMap(trees));
  }

  /**
   * Returns the statements of env.py's sessions, without those of Alembic, of drivers, and of
   * the contract.
   */
  function logged(): string[] {
    const entries = log.split(/^(?=\d+\|LOG: {2})/m).flatMap((entry) => {
      const [, pid = "", sql = ""] = /^(\d+)\|LOG: {2}(?:statement|execute [^:]*): (.*)/s.exec(entry) ?? [];
      const [statement = "", , detail = ""] = sql.split(/^\d+\|(DETAIL: {2}[Pp]arameters: )/m);
      return pid === "" ? [] : [{ pid, sql: withValues(statement, detail) }];
    });
    const isVersion = ({ sql }: { readonly sql: string }) => /(INTO|UPDATE) \S*alembic_version/.test(sql);
    entries.splice(entries.findLastIndex(isVersion)); // then Alembic compares the models
    const ofAlembic = new Set(entries.filter(isVersion).map(({ pid }) => pid));
    const others = [
      /pg_catalog\.|pg_type t?\b|current_schema|alembic_version|transaction.isolation|_pg3_\d/i,
      /^(begin|commit|rollback|show|deallocate)\b(?! to)/i,
    ];
    const isOther = (sql: string) => others.some((pattern) => pattern.test(sql.trim()));
    return entries.filter(({ pid, sql }) => ofAlembic.has(pid) && !isOther(sql)).map(({ sql }) => sql);
  }

  /** Replaces `$1` by the value that the log has for it. */
  function withValues(sql: string, detail: string): string {
    const values = [...detail.matchAll(/\$(\d+) = ('(?:[^']|'')*'|NULL)/g)];
    return values.reduceRight((text, [, number, value]) => text.replaceAll(`$${number}`, () => `${value}`), sql);
  }

  /** Returns the trees of statements without places in the text. Rows of VALUES are statements of their own. */
  function trees(sql: string): unknown[] {
    const nodes = parse(sql);
    assert.ok(!("error" in nodes), sql);
    return nodes.flatMap((node) => {
      const plain = JSON.parse(JSON.stringify(node, (key, value) => (places.test(key) ? undefined : normal(value))));
      const rows = plain.InsertStmt?.selectStmt?.SelectStmt?.valuesLists ?? [null];
      return rows.map((row: unknown) => {
        const copy = structuredClone(plain);
        if (row !== null) copy.InsertStmt.selectStmt.SelectStmt.valuesLists = [row];
        return copy;
      });
    });
  }

  /** Numbers savepoints by 1, because SQLAlchemy counts those of a connection. */
  function normal(value: unknown): unknown {
    return typeof value === "string" ? value.replace(/^sa_savepoint_\d+$/, "sa_savepoint_1") : value;
  }

  for (const { folder, args, env } of apps)
    it(`are equal for ${folder}`, () => compare(join(projectRoot, folder), args, env));

  it("are equal for every form of a statement", async () => {
    const project = new ChainProject(statementForms);
    const requirements = join(projectRoot, "backend", "requirements-dev.txt"); // with psycopg2, SQLAlchemy's default
    const python = await pythonEnvironment({ requirements, report: () => {} });
    const args = ["--backend", project.folder, "--python", python];
    await unityIn({}, "lock", ...args);
    await unityIn({ REHEARSAL_DATABASE_URL: postgres.url }, "rehearse", ...args);
    await compare(project.folder, ["--python", python]);
    project.delete();
  });
});
