import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Kubectl } from "../../src/cluster/kubectl.ts";
import { projectRoot } from "../../src/paths.ts";

/** An existing deployment of an operator: YAML of tests/live/unmanaged, applied by kubectl. */
export class UnmanagedDeployment {
  readonly #kubectl: Kubectl;
  readonly #namespace: string;

  constructor(kubectl: Kubectl, namespace: string) {
    this.#kubectl = kubectl;
    this.#namespace = namespace;
  }

  /** The database's URL, as the settings take it. */
  readonly databaseUrl = "postgresql://homelab_user:s3cret%2F1@postgres-service:5432/homelab_db";

  /** Deploys PostgreSQL, migrates it to the middle of the chain by a Job, and deploys the backend of a file. */
  async setUp(backend: string): Promise<void> {
    await this.#kubectl.run(["create", "namespace", this.#namespace]);
    await this.apply("database.yaml");
    await this.rolledOut("postgres");
    await this.apply("job.yaml");
    await this.#kubectl.run(["wait", "job/unity-db-migrate", "--for=condition=complete", "--timeout=180s"], "", 190);
    await this.psql("INSERT INTO servers (name, hostname) VALUES ('one', 'kept-one'), ('two', 'kept-two')");
    await this.apply(backend);
    await this.rolledOut("unity-backend");
  }

  async apply(file: string): Promise<void> {
    const { MIGRATION_IMAGE = "", UNITY_POSTGRES_IMAGE = "" } = process.env;
    const text = readFileSync(join(projectRoot, "tests", "live", "unmanaged", file), "utf8")
      .replaceAll("BACKEND_IMAGE", MIGRATION_IMAGE)
      .replaceAll("POSTGRES_IMAGE", UNITY_POSTGRES_IMAGE || "postgres:17");
    await this.#kubectl.run(["apply", "--filename=-"], text);
  }

  async rolledOut(deployment: string): Promise<void> {
    await this.#kubectl.run(["rollout", "status", `deployment/${deployment}`, "--timeout=180s"], "", 190);
  }

  /** Runs a statement in the unmanaged PostgreSQL. */
  async psql(statement: string): Promise<string> {
    const command = ["psql", "-U", "homelab_user", "-d", "homelab_db", "-v", "ON_ERROR_STOP=1", "-Atc", statement];
    return (await this.#kubectl.run(["exec", "deployment/postgres", "--", ...command])).trim();
  }
}
