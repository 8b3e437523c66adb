import assert from "node:assert/strict";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Engine, Run, Verb } from "../../local/pulumi.ts";
import { workloadSelector } from "../../src/cluster/pods.ts";
import { names } from "../../src/manifests/names.ts";
import { ninthCheckout } from "../fixtures/chains/ninth.ts";
import { fixtureImage } from "./images.ts";
import { type LiveStack, liveStack } from "./live.ts";
import { startProbe } from "./probe.ts";

/** A release to deploy: settings, program, and the cluster's kubeconfig. */
export interface Release {
  readonly values?: Readonly<Record<string, string>>;
  readonly folder?: string;
  readonly kubeconfig?: string;
}

/** A release of the chain with the ninth revision. */
export interface NinthRelease extends Release {
  readonly values: { readonly image: string };
  readonly folder: string;
  /** Removes its checkout. */
  remove(): void;
}

/** Builds a release whose ninth revision does what the table `fault` contains. */
export async function ninthRelease(): Promise<NinthRelease> {
  const { folder, remove } = await ninthCheckout();
  return { folder, values: { image: await fixtureImage(join(folder, "backend")) }, remove };
}

/** A fault to inject, and what must hold after it. */
export interface Fault {
  /** Number in docs/faults.md, and the fault. */
  readonly name: string;
  /** Messages of `up`. */
  readonly messages: readonly RegExp[];
  /** Deploys while the fault lasts. */
  up(): Promise<Run>;
  /**
   * Whether the backend has a database all the while.
   *
   * @defaultValue true
   */
  readonly keepsServing?: boolean;
  /** Revisions of which the database must hold one. */
  readonly revisions: readonly string[];
}

/** Requests to the old backend, however soon `up` ends. */
const leastRequests = 5;
/** Bound of any `up`, far above what is measured. */
const boundSeconds = 300;
/** Bound of any change that is waited for, on a busy machine. */
const settleSeconds = 120;

/** A stack into which faults are injected, and whose database can be reached as an operator would. */
export class FaultStack {
  readonly live: LiveStack;
  readonly #defaults: Readonly<Record<string, string>>;
  readonly #database: string;
  readonly #times: string[] = [];
  #secrets: readonly string[] = [];

  /**
   * @param defaults - Settings of all its runs.
   * @param database - Name of the database in the PostgreSQL of its namespace.
   */
  constructor(name: string, defaults: Readonly<Record<string, string>> = {}, database: string = names.database) {
    this.live = liveStack(`faults-${name}`);
    this.#defaults = defaults;
    this.#database = database;
  }

  /** Opens the engine for a release. */
  engine({ values = {}, folder, kubeconfig }: Release = {}): Promise<Engine> {
    return this.live.engine({ ...this.#defaults, ...values }, folder, kubeconfig);
  }

  async run(verb: Verb, release: Release = {}, flags: readonly string[] = [], stop?: AbortSignal): Promise<Run> {
    return (await this.engine(release)).run(verb, flags, false, stop);
  }

  /**
   * Deploys a release, which must succeed.
   *
   * @returns The output.
   */
  async deploy(release: Release = {}): Promise<string> {
    const { exitCode, output } = await this.run("up", release);
    assert.equal(exitCode, 0, output);
    await this.#readSecrets();
    this.#assertNoSecret(output);
    return output;
  }

  /** Asserts I6 once a fault is gone: one `up` succeeds, and a preview then expects no changes. */
  async recover(release: Release = {}): Promise<string> {
    const output = await this.deploy(release);
    const { exitCode, output: preview } = await this.run("preview", release, ["--expect-no-changes"]);
    assert.equal(exitCode, 0, preview);
    return output;
  }

  /** Injects a fault, and asserts its messages and the invariants I2, I3, I5 and I7. */
  async inject({ name, messages, up, keepsServing = true, revisions }: Fault): Promise<void> {
    await using probe = keepsServing ? await startProbe(this.live.kubectl, this.live.namespace) : undefined;
    const { exitCode, output } = await this.timed(name, up);
    const probed = await probe?.stop(leastRequests);
    assert.notEqual(exitCode, 0, output);
    for (const message of messages) assert.match(output, message);
    this.#assertNoSecret(output);
    assert.deepEqual(probed?.failures ?? [], []);
    await this.assertConsistent(revisions);
  }

  /** Measures the time to a message, or until a fault is recovered from. */
  async timed<T>(name: string, work: () => Promise<T>): Promise<T> {
    const started = performance.now();
    const result = await work();
    const seconds = (performance.now() - started) / 1000;
    this.#times.push(`fault-time\t${name}\t${seconds.toFixed(1)} s`);
    assert.ok(seconds < boundSeconds, `${name} took ${seconds} s`);
    return result;
  }

  /** Prints the times, one per line, and removes the stack. */
  async end(): Promise<void> {
    console.log(this.#times.join("\n"));
    await this.live.remove();
  }

  /** Runs a statement in the stack's own PostgreSQL. */
  async psql(statement: string, timeoutSeconds = 30): Promise<string> {
    const session = ["exec", "deployment/postgres", "--container=postgres", "--", "psql", "-U", names.databaseOwner];
    const options = ["-d", this.#database, "-v", "ON_ERROR_STOP=1", "-Atc", statement];
    return (await this.live.kubectl.run([...session, ...options], "", timeoutSeconds)).trim();
  }

  /** Runs Alembic as an operator would, in the backend's pod. */
  alembic(...command: readonly string[]): Promise<string> {
    return this.live.kubectl.exec("deployment/unity-backend", "unity-backend", ["alembic", ...command]);
  }

  /**
   * Runs a statement in a session that stays open and keeps its locks.
   *
   * @returns A function that ends the session.
   */
  async hold(statement: string): Promise<() => Promise<void>> {
    const sql = `SET application_name = 'holder'; BEGIN; ${statement}; SELECT pg_sleep(300)`;
    const ended = this.psql(sql, 310).catch(() => {});
    const holders = "FROM pg_stat_activity WHERE application_name = 'holder'";
    await this.until(() =>
      this.psql(`SELECT count(*) = 1 ${holders} AND query LIKE '%pg_sleep%' AND state = 'active'`),
    );
    return async () => {
      await this.psql(`SELECT pg_terminate_backend(pid) ${holders}`).catch(() => {});
      await ended;
    };
  }

  /** Returns whether a session waits for an advisory lock, as `t` or `f`. */
  isWaitingAt(lock: number): Promise<string> {
    return this.psql(
      `SELECT count(*) = 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = ${lock} AND NOT granted`,
    );
  }

  /** Returns the migrate Job's running pod. */
  async migratePod(): Promise<string> {
    const options = [workloadSelector(names.migrateJob), "--field-selector=status.phase=Running"];
    return (await this.live.kubectl.run(["get", "pods", ...options, "--output=name"])).trim();
  }

  /**
   * Creates an object that rejects pods.
   *
   * @returns A function that deletes it.
   */
  async obstacle(kind: "ResourceQuota" | "LimitRange", spec: object): Promise<() => Promise<unknown>> {
    const { kubectl } = this.live;
    const object = { apiVersion: "v1", kind, metadata: { name: "obstacle" }, spec };
    await kubectl.run(["create", "--filename=-"], JSON.stringify(object));
    return () => kubectl.run(["delete", kind, "obstacle"]);
  }

  /** Waits until a query returns `t`; a query that fails is repeated. */
  async until(query: () => Promise<string>): Promise<void> {
    const deadline = Date.now() + settleSeconds * 1000;
    let result = "";
    while (result !== "t") {
      if (Date.now() > deadline) throw new Error(`timed out after ${settleSeconds}s: ${query} (${result})`);
      result = await query().catch((error: Error) => error.message);
      if (result !== "t") await delay(400);
    }
  }

  async #readSecrets(): Promise<void> {
    const { data } = await this.live.kubectl.get<{ data: Record<string, string> }>("secret", "unity-database");
    const decoded = Object.values(data).map((value) => Buffer.from(value, "base64").toString());
    this.#secrets = [...Object.values(data), ...decoded].filter((value) => value.length > 8);
  }

  #assertNoSecret(output: string): void {
    const stored = this.live.storedText();
    for (const secret of this.#secrets) {
      assert.ok(!output.includes(secret), "a secret is in the output");
      assert.ok(!stored.includes(secret), "a secret is in the stack's files");
    }
  }

  /** Asserts I3 and I7: the database is at one revision with valid indexes, and nothing of the migration runs. */
  async assertConsistent(revisions: readonly string[]): Promise<void> {
    const state = "SELECT string_agg(version_num, ','), (SELECT count(*) FROM pg_index WHERE NOT indisvalid)";
    const [revision = "", invalid] = (await this.psql(`${state} FROM alembic_version`)).split("|");
    assert.ok(revisions.includes(revision), `at ${revision}`);
    assert.equal(invalid, "0");
    const sessions = "application_name LIKE 'alembic-migrate%' OR state LIKE 'idle in transaction%'";
    await this.until(() => this.psql(`SELECT count(*) = 0 FROM pg_stat_activity WHERE ${sessions}`));
    await this.until(async () => {
      const selector = workloadSelector(names.migrateJob);
      const { items } = await this.live.kubectl.get<{ items: MigrationObject[] }>("pods,jobs", selector);
      return items.some(isRunning) ? "running" : "t";
    });
  }
}

/** A migrate Job or its pod. */
interface MigrationObject {
  readonly kind: string;
  readonly status: { readonly phase?: string; readonly active?: number };
}

function isRunning({ kind, status }: MigrationObject): boolean {
  return kind === "Pod" ? ["Pending", "Running"].includes(status.phase ?? "") : (status.active ?? 0) > 0;
}
