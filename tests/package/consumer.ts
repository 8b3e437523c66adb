// Another program that uses the installed package. It prints what its components declare, as JSON.
import { existsSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { loadChain, MigrationFleet, type MigrationFleetArgs, MigrationJob, migratedApp } from "pulumi-alembic";

const declared: Record<string, object> = {};
await pulumi.runtime.setMocks({
  newResource: ({ type, name, inputs }) => {
    declared[`${type} ${name}`] = inputs;
    return { id: name, state: { ...inputs, metadata: { ...inputs.metadata, uid: name } } };
  },
  call: () => ({}),
});
const chain = loadChain("app");
const args: MigrationFleetArgs = {
  ...chain,
  app: migratedApp("notes"),
  context: "c",
  namespace: "notes",
  image: "notes:1",
  imagePullPolicy: "IfNotPresent",
  tenants: [
    { name: "one", secretName: "one" },
    { name: "two", secretName: "two" },
  ],
  timeouts: { lockTimeoutSeconds: 1, statementTimeoutSeconds: 2, deadlineSeconds: 3, awaitTimeoutSeconds: 4 },
};
// @ts-expect-error a limit is a number
const wrong: MigrationFleetArgs = { ...args, parallelism: "four" };
new MigrationFleet("fleet", { ...args, parallelism: Number(wrong.parallelism ?? 4) || 4 });
const { context, namespace, image, tenants: _, ...options } = args;
const plan = {
  context,
  namespace,
  options,
  inputs: { image, secretName: "single" },
  head: chain.head,
  attempt: 1,
  lockFile: "app/migrations.lock.json",
  environment: "development",
  approvals: [],
  records: [],
} as const;
new MigrationJob("single", { plan });
await pulumi.runtime.disconnect();
const programs = Object.values(declared).flatMap((inputs) => ("interpreter" in inputs ? [inputs.interpreter] : []));
console.log(
  JSON.stringify({ declared, programs, exist: (programs as string[][]).map(([, file = ""]) => existsSync(file)) }),
);
