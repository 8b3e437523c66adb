import assert from "node:assert/strict";
import { describeAdoption, planAdoption } from "../../src/adoption/adoption.ts";
import type { Ownership } from "../../src/adoption/owners.ts";
import type { LiveObject, LiveObjects } from "../../src/cluster/objects.ts";
import { backend, job, live, named, ours, service } from "./objects.ts";

const target = { context: "here", namespace: "unity" };
const of = (owner: string) => ({ ...ours, "pulumi-alembic/owner": owner });
const dev = of("unity/dev");

const { metadata, ...rest } = job("unity-db-migrate-1", []);
const migration: LiveObject = { ...rest, metadata: { ...metadata, annotations: dev } };
const secret = { resourceVersion: "1", isOurs: true, owner: "unity/dev", keys: ["DATABASE_URL"] };

const account = (name: string) => ({ kind: "ServiceAccount", metadata: { name, annotations: dev } }) as LiveObject;
const plan = (objects: LiveObjects, more: Partial<Ownership> = {}) =>
  planAdoption(objects, { owned: true, owner: "unity/home", target, level: "restricted", ...more });

/** One object of each kind that a stack declares, with its name for kubectl. */
const each: readonly [object: string, live: LiveObject, needs?: Partial<Ownership>][] = [
  ["deployment/unity-backend", backend({}, {}, { annotations: dev })],
  ["service/unity-backend", service({ selector: { app: "unity-backend" } }, dev)],
  ["serviceaccount/unity-migrations", account("unity-migrations")],
  ["serviceaccount/unity-postgres", account("unity-postgres"), { owned: true }],
  ["deployment/postgres", named("Deployment", "postgres", dev), { owned: true }],
  ["persistentvolumeclaim/postgres", named("PersistentVolumeClaim", "postgres", dev), { owned: true }],
  [
    "persistentvolumeclaim/unity-restore-points",
    named("PersistentVolumeClaim", "unity-restore-points", dev),
    { hasRestorePoints: true },
  ],
];

describe("objects of another stack", () => {
  for (const [object, item, needs] of each) {
    it(`are rejected with the owner: ${object}`, () => {
      const { rejected, objects } = plan(live(item), needs);
      assert.deepEqual(objects, []);
      assert.deepEqual(rejected, [
        `Stack unity/dev owns resources of namespace unity that stack unity/home would overwrite: ${object}. ` +
          "To deploy to another namespace, run: pulumi config set namespace <name>. " +
          "To adopt them instead, run: pulumi config set adoptFrom unity/dev (see docs/how-to/adopt.md)",
      ]);
    });
  }

  it("are rejected if only the Secret exists", () => {
    assert.match(plan({ ...live(), secret }).rejected.join(), /^Stack unity\/dev .*: secret\/unity-database\./);
  });

  it("don't matter if the stack declares no object of that name", () => {
    const others = each.filter(([, , needs]) => needs !== undefined).map(([, item]) => item);
    const objects = { ...live(...others, migration), secret };
    assert.deepEqual(plan(objects, { owned: false, hasExistingSecret: true }).rejected, []);
  });

  it("are named up to three, each owner by its own", () => {
    const [first, ...rest] = each.map(([, item]) => item);
    const other = backend({}, {}, { annotations: of("notes/prod") });
    assert.ok(first);
    const { rejected } = plan(live(other, ...rest));
    assert.equal(rejected.length, 2);
    assert.match(
      rejected.join("\n"),
      /^Stack notes\/prod owns .*: deployment\/unity-backend\. .*adoptFrom notes\/prod/,
    );
    assert.match(rejected.join("\n"), /\nStack unity\/dev owns .*, \d more\. .*adoptFrom unity\/dev/);
  });

  it("are none with the stack's own annotation, without one, or without a stack", () => {
    const own = named("Deployment", "postgres", of("unity/home"));
    assert.deepEqual(plan(live(own)).rejected, []);
    assert.deepEqual(plan(live(named("Deployment", "postgres", ours))).rejected, []);
    assert.deepEqual(plan(live(named("Deployment", "postgres", dev)), { owner: undefined }).rejected, []);
  });

  it("are adopted if the settings name their owner", () => {
    const objects = live(...each.map(([, item]) => item));
    const adoption = plan(objects, { adoptFrom: "unity/dev", hasRestorePoints: true });
    assert.deepEqual(adoption.rejected, []);
    assert.deepEqual(adoption.objects.map(({ object }) => object).sort(), each.map(([object]) => object).sort());
    const text = describeAdoption(adoption).join("\n");
    assert.match(
      text,
      /^Existing resources to adopt:\n {2}deployment\/unity-backend\n {4}~ owner unity\/dev -> unity\/home$/m,
    );
    assert.match(text, /^Remove them from the state of unity\/dev afterwards: its destroy would delete them\.$/m);
    assert.equal(plan(objects, { adoptFrom: "unity/other" }).rejected.length, 1);
  });
});
