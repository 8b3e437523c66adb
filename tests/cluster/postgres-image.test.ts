import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type PostgresImageTarget, provePostgresImage } from "../../src/cluster/wait/postgres-image.ts";
import { kubectlProgram } from "../support/fake-kubectl.ts";
import { container } from "../support/kubernetes.ts";

/** Answers by command, and records the calls; the Job that it creates has already ended. */
const script = `#!/bin/sh
cd "$(dirname "$0")" || exit 1
shift 2
echo "$1 $2" >> calls
case "$1 $2" in
  "get deployment") cat deployment ;;
  "exec deployment/postgres") [ -f major ] && cat major ;;
  "create --filename=-") cat > created ;;
  "get jobs,pods") name=$(grep -o 'unity-postgres-image-[0-9a-f]*' created | head -1); sed "s/NAME/$name/g" items ;;
esac
`;

const target: PostgresImageTarget = {
  context: "here",
  namespace: "unity",
  name: "postgres",
  timeoutSeconds: 5,
  image: "postgres:new",
  imagePullPolicy: "IfNotPresent",
};

interface Cluster {
  /** Image of the running PostgreSQL; `undefined` without a Deployment. */
  readonly running?: string;
  /** Content of its PG_VERSION; `undefined` if its pod isn't running. */
  readonly major?: string;
  /** State of the container that prints the version. */
  readonly state?: object;
  readonly jobCondition?: string;
}

async function prove({ running, major, state = {}, jobCondition = "Complete" }: Cluster) {
  using fake = kubectlProgram(script);
  const write = (name: string, value: unknown) => writeFileSync(join(fake.folder, name), JSON.stringify(value));
  const containers = [{ name: "postgres", image: running }];
  writeFileSync(join(fake.folder, "deployment"), "");
  if (running !== undefined) write("deployment", { kind: "Deployment", spec: { template: { spec: { containers } } } });
  if (major !== undefined) writeFileSync(join(fake.folder, "major"), major);
  const conditions = [{ type: jobCondition, status: "True", reason: "Because", message: "it ended" }];
  const owned = { name: "pod", ownerReferences: [{ name: "NAME" }] };
  write("items", {
    items: [
      { kind: "Job", metadata: { name: "NAME" }, status: { conditions } },
      {
        kind: "Pod",
        metadata: owned,
        spec: { containers: [] },
        status: { containerStatuses: [container({ name: "version", state })] },
      },
    ],
  });
  const printed: string[] = [];
  const error = await provePostgresImage(fake.kubectl, target, (line) => printed.push(line)).then(
    () => undefined,
    (failure: Error) => failure.message,
  );
  const calls = readFileSync(join(fake.folder, "calls"), "utf8").trim().split("\n");
  return { error, printed: printed.join("\n"), calls };
}

const prints = (message: string) => ({ terminated: { exitCode: 0, message } });
const newer = prints("postgres (PostgreSQL) 18.1 (Debian 18.1-1)\n");

describe("a new PostgreSQL image", () => {
  it("is not tried without a PostgreSQL, or if it already runs", async () => {
    for (const running of [undefined, "postgres:new"]) {
      const { error, calls } = await prove({ running });
      assert.deepEqual([error, calls], [undefined, ["get deployment"]]);
    }
  });
  it("is accepted if it contains the version of the data", async () => {
    const { error, printed, calls } = await prove({ running: "postgres:old", major: "18\n", state: newer });
    assert.equal(error, undefined);
    assert.match(printed, /Image postgres:new can be pulled: postgres \(PostgreSQL\) 18\.1 /);
    assert.equal(calls.at(-1), "delete job");
  });
  it("is rejected with the upgrade's steps if it contains another major version", async () => {
    const { error } = await prove({ running: "postgres:old", major: "17\n", state: newer });
    assert.match(
      error ?? "",
      /^image postgres:new contains PostgreSQL 18, which can't open the data of PostgreSQL 17; /,
    );
    assert.match(error ?? "", /docs\/how-to\/upgrade-postgresql\.md/);
  });
  it("is accepted without a known version of the data, which may be what it fixes", async () => {
    const { error, printed } = await prove({ running: "postgres:old", state: newer });
    assert.equal(error, undefined);
    assert.match(printed, /the version of its data is unknown/);
  });
  it("is rejected if it contains no PostgreSQL", async () => {
    const { error } = await prove({ running: "postgres:old", major: "17\n", state: prints("hello") });
    assert.match(error ?? "", /image postgres:new contains no PostgreSQL: postgres --version printed "hello"/);
  });
  it("is rejected if it can't be pulled, and the running one stays", async () => {
    const waiting = { reason: "ErrImagePull", message: "manifest unknown" };
    const { error, calls } = await prove({
      running: "postgres:old",
      major: "17\n",
      state: { waiting },
      jobCondition: "",
    });
    assert.match(error ?? "", /can't pull image .* \[ErrImagePull\]: manifest unknown/);
    assert.match(error ?? "", /PostgreSQL keeps running with its current image\./);
    assert.ok(!calls.includes("delete job"), "the Job stays for its events");
  });
});
