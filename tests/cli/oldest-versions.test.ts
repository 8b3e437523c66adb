import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { pythonEnvironment } from "../../src/cli/python-environment.ts";
import { projectRoot } from "../../src/paths.ts";
import { startPostgres } from "../support/postgres.ts";

describe("the runner with the oldest Alembic and SQLAlchemy", () => {
  it("keeps its session contract with each driver", async () => {
    const requirements = join(import.meta.dirname, "oldest-requirements.txt");
    const python = await pythonEnvironment({ requirements, report: (line) => process.stderr.write(`${line}\n`) });
    const postgres = await startPostgres();
    try {
      const contract = ["../tests/runner/test_env_py.py", "-k", "plain and (limits or another_database or without)"];
      const env = { ...process.env, TEST_DATABASE_URL: postgres.url, PYTHONDONTWRITEBYTECODE: "1" };
      const options = { cwd: join(projectRoot, "backend"), env };
      const { stdout } = await promisify(execFile)(python, ["-m", "pytest", "-q", ...contract], options).catch(
        (error: { readonly stdout: string }) => error,
      );
      assert.match(stdout, /^9 passed/m);
    } finally {
      await postgres.stop();
    }
  });
});
