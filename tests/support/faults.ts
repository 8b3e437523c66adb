import assert from "node:assert/strict";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Run, Verb } from "../../local/pulumi.ts";
import { workloadSelector } from "../../src/cluster/pods.ts";
import { names } from "../../src/manifests/names.ts";
import { ninthCheckout } from "../fixtures/chains/ninth.ts";
import { fixtureImage } from "./images.ts";
import { type LiveStack, liveStack } from "./live.ts";
import { startProbe } from "./probe.ts";

/** Where a run deploys from, and with which settings. */
export interface Deployed {
  readonly values?: Readonly<Record<string, string>>;
  readonly folder?: string;
  /** Kubeconfig by which the cluster is reached. @defaultValue the user's */
  readonly kubeconfig?: string;
}

/** A release of the chain with the ninth revision. */
export interface NinthRelease extends Deployed {
  readonly values: { readonly image: string };
  readonly folder: string;
  /** Removes its checkout. */
  remove(): void;
}

/** Makes a release whose ninth revision does what the database says. */
export async function ninthRelease(): Promise<NinthRelease> {
  const { folder, remove } = await ninthCheckout();
  return { folder, values: { image: await fixtureImage(join(folder, "backend")) }, remove };
}

/** A fault, and what must be said of it. */
export interface Fault {
  /** Number in the list of faults, and what it is. */
  readonly name: string;
  /** What `up` must say. */
  readonly says: readonly RegExp[];
  /** Deploys while the fault holds. */
  up(): Promise<Run>;
  /** Whether the backend has a database to serve from all the while. @defaultValue true */
  readonly serves?: boolean;
  /** Revisions of which the database must hold one. */
  readonly revisions: readonly string[];
}

/** Requests that the old backend is asked at least, however soon `up` ends. */
const leastRequests = 5;
/** Seconds that no `up` may take, whatever the fault: bounded, and far above what is measured. */
const boundSeconds = 180;
/** Seconds that anything may take to come about: generous, for a machine that is busy. */
const settleSeconds = 60;

/** A stack whose faults are measured, and whose database can be reached as an operator would. */
export class FaultStack {
  readonly live: LiveStack;
  readonly #defaults: Readonly<Record<string, string>>;
  readonly #database: string;
  readonly #times: string[] = [];
  #secrets: readonly string[] = [];

  /**
   * @param defaults Settings of all its runs.
   * @param database Name of the database in the PostgreSQL of its namespace.
   */
  constructor(name: string, defaults: Readonly<Record<string, string>> = {}, database: string = names.database) {
    this.live = liveStack(`faults-${name}`);
    this.#defaults = defaults;
    this.#database = database;
  }

  async run(
    verb: Verb,
    { values = {}, folder, kubeconfig }: Deployed = {},
    flags: readonly string[] = [],
    stop?: AbortSignal,
  ): Promise<Run> {
    const engine = await this.live.engine({ ...this.#defaults, ...values }, folder, kubeconfig);
    return engine.run(verb, flags, false, stop);
  }

  /** Deploys what must go well. @returns What it printed. */
  async deploy(deployed: Deployed = {}): Promise<string> {
    const { exitCode, output } = await this.run("up", deployed);
    assert.equal(exitCode, 0, output);
    await this.#learnSecrets();
    this.#assertNoSecret(output);
    return output;
  }

  /** Deploys once a fault is gone: one `up` is enough, and then there is nothing left to do (I6). */
  async mends(deployed: Deployed = {}): Promise<string> {
    const output = await this.deploy(deployed);
    const { exitCode, output: preview } = await this.run("preview", deployed, ["--expect-no-changes"]);
    assert.equal(exitCode, 0, preview);
    return output;
  }

  /** Lets a fault strike, and asserts what must be said and what must hold after it (I2, I3, I5, I7). */
  async suffers({ name, says, up, serves = true, revisions }: Fault): Promise<void> {
    const probe = serves ? await startProbe(this.live.kubectl, this.live.namespace) : undefined;
    const { exitCode, output } = await this.timed(name, up);
    const probed = await probe?.stop(leastRequests);
    assert.notEqual(exitCode, 0, output);
    for (const text of says) assert.match(output, text);
    this.#assertNoSecret(output);
    assert.deepEqual(probed?.failures ?? [], []);
    await this.assertWhole(revisions);
  }

  /** Measures what leads to a message, or past a fault. */
  async timed<T>(name: string, work: () => Promise<T>): Promise<T> {
    const started = performance.now();
    const result = await work();
    const seconds = (performance.now() - started) / 1000;
    this.#times.push(`fault-time\t${name}\t${seconds.toFixed(1)} s`);
    assert.ok(seconds < boundSeconds, `${name} took ${seconds} s`);
    return result;
  }

  /** Prints the times, a line each, and removes the stack. */
  async end(): Promise<void> {
    console.log(this.#times.join("\n"));
    await this.live.remove();
  }

  /** Runs a statement in the stack's own PostgreSQL. */
  async psql(statement: string): Promise<string> {
    const command = [
      "psql",
      "-U",
      names.databaseOwner,
      "-d",
      this.#database,
      "-v",
      "ON_ERROR_STOP=1",
      "-Atc",
      statement,
    ];
    return (await this.live.kubectl.exec("deployment/postgres", "postgres", command)).trim();
  }

  /** Runs Alembic as an operator would, in the backend's pod. */
  alembic(...command: readonly string[]): Promise<string> {
    return this.live.kubectl.exec("deployment/unity-backend", "unity-backend", ["alembic", ...command]);
  }

  /** Runs a statement in a session that stays, its locks with it. @returns What ends the session. */
  async holds(statement: string): Promise<() => Promise<void>> {
    const session = this.psql(`SET application_name = 'holder'; BEGIN; ${statement}; SELECT pg_sleep(120)`);
    const ended = session.catch(() => {});
    const holders = "FROM pg_stat_activity WHERE application_name = 'holder'";
    await this.until(() =>
      this.psql(`SELECT count(*) = 1 ${holders} AND query LIKE '%pg_sleep%' AND state = 'active'`),
    );
    return async () => {
      await this.psql(`SELECT pg_terminate_backend(pid) ${holders}`).catch(() => {});
      await ended;
    };
  }

  /** Whether somebody waits for an advisory lock, as `t` or `f`. */
  isWaitingAt(lock: number): Promise<string> {
    return this.psql(
      `SELECT count(*) = 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = ${lock} AND NOT granted`,
    );
  }

  /** The migrate Job's pod that is running. */
  async migratePod(): Promise<string> {
    const options = [workloadSelector(names.migrateJob), "--field-selector=status.phase=Running"];
    return (await this.live.kubectl.run(["get", "pods", ...options, "--output=name"])).trim();
  }

  /** Makes an object that stands in the way of pods. @returns What takes it away. */
  async obstacle(kind: "ResourceQuota" | "LimitRange", spec: object): Promise<() => Promise<unknown>> {
    const { kubectl } = this.live;
    const object = { apiVersion: "v1", kind, metadata: { name: "obstacle" }, spec };
    await kubectl.run(["create", "--filename=-"], JSON.stringify(object));
    return () => kubectl.run(["delete", kind, "obstacle"]);
  }

  /** Waits until a question is answered `t`; what fails meanwhile counts as no answer. */
  async until(ask: () => Promise<string>): Promise<void> {
    const deadline = Date.now() + settleSeconds * 1000;
    let answer = "";
    while (answer !== "t") {
      if (Date.now() > deadline) throw new Error(`not so within ${settleSeconds} s: ${ask} (${answer})`);
      answer = await ask().catch((error: Error) => error.message);
      if (answer !== "t") await delay(400);
    }
  }

  async #learnSecrets(): Promise<void> {
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

  /** The database is at one revision, with valid indexes, and nothing goes on in it or beside it. */
  async assertWhole(revisions: readonly string[]): Promise<void> {
    const state = "SELECT string_agg(version_num, ','), (SELECT count(*) FROM pg_index WHERE NOT indisvalid)";
    const [revision = "", invalid] = (await this.psql(`${state} FROM alembic_version`)).split("|");
    assert.ok(revisions.includes(revision), `at ${revision}`);
    assert.equal(invalid, "0");
    const sessions = "application_name LIKE 'unity-migrate%' OR state LIKE 'idle in transaction%'";
    await this.until(() => this.psql(`SELECT count(*) = 0 FROM pg_stat_activity WHERE ${sessions}`));
    await this.until(async () => {
      const selector = workloadSelector(names.migrateJob);
      const { items } = await this.live.kubectl.get<{ items: Leftover[] }>("pods,jobs", selector);
      return items.some(isGoing) ? "still going" : "t";
    });
  }
}

/** A Job or a pod of it. */
interface Leftover {
  readonly kind: string;
  readonly status: { readonly phase?: string; readonly active?: number };
}

function isGoing({ kind, status }: Leftover): boolean {
  return kind === "Pod" ? ["Pending", "Running"].includes(status.phase ?? "") : (status.active ?? 0) > 0;
}
