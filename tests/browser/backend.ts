import { execFile, spawn } from "node:child_process";
import { EventEmitter, on, once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { pythonEnvironment } from "../../src/cli/python-environment.ts";
import { projectRoot } from "../../src/paths.ts";
import { endWithTests } from "../support/children.ts";
import { startPostgres } from "../support/postgres.ts";

const folder = join(projectRoot, "backend");
const execute = promisify(execFile);

/** Runs one statement with its parameters and prints its rows, if it has any, as JSON. */
const runStatement = `
import json, os, sys, psycopg
with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
    cursor = connection.execute(sys.argv[1], sys.argv[2:] or None)
    print(json.dumps(cursor.fetchall() if cursor.description else [], default=str))
`;

/** The backend, served as in its image, on a PostgreSQL of its own at head; both on loopback. */
export interface Backend {
  /** Base URL without a trailing slash. */
  readonly url: string;
  /** Waits for a line of its log. Returns the match. */
  logged(pattern: RegExp): Promise<RegExpExecArray>;
  /**
   * Runs a statement in its database, or several without parameters.
   *
   * @param parameters - Values of each `%s`, as text.
   * @returns The rows of the first.
   */
  query(sql: string, ...parameters: readonly string[]): Promise<unknown[][]>;
  /** Stops both and removes the data. */
  stop(): Promise<void>;
}

/** Lines of a log, kept in order. */
class Log extends EventEmitter {
  readonly lines: string[] = [];

  add(line: string): void {
    this.lines.push(line);
    this.emit("line");
  }

  /**
   * Waits for a line, past or future.
   *
   * @throws {Error} With all lines, if it doesn't appear in time.
   */
  async find(pattern: RegExp): Promise<RegExpExecArray> {
    const find = () => this.lines.map((line) => pattern.exec(line)).find((found) => found !== null);
    const come = on(this, "line", { signal: AbortSignal.timeout(120_000) });
    try {
      for (let found = find(); ; found = find()) {
        if (found !== undefined) return found;
        await come.next();
      }
    } catch {
      throw new Error(`no line like ${pattern} in:\n${this.lines.join("\n")}`);
    } finally {
      await come.return?.();
    }
  }
}

/** Starts a PostgreSQL, migrates it to head with Alembic, and serves the backend on it. */
export async function startBackend(): Promise<Backend> {
  const report = (line: string) => process.stderr.write(`${line}\n`);
  const python = await pythonEnvironment({ requirements: join(folder, "requirements-dev.txt"), report });
  const postgres = await startPostgres();
  const env = { ...process.env, DATABASE_URL: postgres.url, PYTHONDONTWRITEBYTECODE: "1", PYTHONUNBUFFERED: "1" };
  const options = { cwd: folder, env };
  try {
    await execute(python, ["-m", "alembic", "upgrade", "head"], options);
    const serve = ["-m", "uvicorn", "app.main:app", "--host", "127.0.0.1", "--port", "0", "--no-access-log"];
    const server = endWithTests(spawn(python, serve, { ...options, stdio: ["ignore", "ignore", "pipe"] }));
    const exited = once(server, "exit");
    const log = new Log();
    createInterface({ input: server.stderr }).on("line", (line) => log.add(line));
    const stop = async () => {
      server.kill("SIGTERM");
      await exited;
      await postgres.stop();
    };
    const [, url = ""] = await log.find(/Uvicorn running on (\S+)/).catch(async (error) => {
      server.kill("SIGKILL");
      await exited;
      throw error;
    });
    return {
      url,
      logged: (pattern) => log.find(pattern),
      async query(sql, ...parameters) {
        const { stdout } = await execute(python, ["-c", runStatement, sql, ...parameters], options);
        return JSON.parse(stdout);
      },
      stop,
    };
  } catch (error) {
    await postgres.stop();
    throw error;
  }
}
