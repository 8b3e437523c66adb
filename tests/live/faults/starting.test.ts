import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { heads } from "../../fixtures/chains/ninth.ts";
import { FaultStack } from "../../support/faults.ts";
import { liveStack } from "../../support/live.ts";

const stack = new FaultStack("starting");
const revisions = [heads.eighth];

/** Work that the Job has not done yet, within a minute. */
const otherWork = { statementTimeoutSeconds: "10", deadlineSeconds: "20", awaitTimeoutSeconds: "40" };

describe("a migrate Job that can't start", () => {
  /** A stack with no database of its own: it is given the other's. */
  const guest = liveStack("faults-guest");
  const password = randomBytes(12).toString("hex");
  let address: string;
  let missingImage: Promise<void>;

  before(async () => {
    await stack.deploy();
    await stack.psql(`CREATE ROLE limited LOGIN PASSWORD '${password}'`);
    await stack.psql("CREATE DATABASE closed");
    const where = ["get", "service", "postgres-service", "--output=jsonpath={.spec.clusterIP}"];
    address = await stack.live.kubectl.run(where);
    // It is waited for in the last test: a registry that does not answer is given half a minute.
    missingImage = stack.suffers({
      name: "F8 image missing",
      says: [
        /image localhost\/no-such-image:1 can't be pulled \[(ErrImagePull|ImagePullBackOff)\]/,
        /never started; it was ended/,
      ],
      up: () => stack.run("up", { values: { image: "localhost/no-such-image:1" } }),
      revisions,
    });
    missingImage.catch(() => {});
  });
  after(() => Promise.all([guest.remove(), stack.end()]));

  const refusals: readonly [string, () => string, RegExp][] = [
    [
      "a wrong password",
      () => `limited:${password}x@${address}/closed`,
      /password authentication failed for user "limited"/,
    ],
    ["a missing database", () => `limited:${password}@${address}/nowhere`, /database "nowhere" does not exist/],
    [
      "no right to make tables",
      () => `limited:${password}@${address}/closed`,
      /permission denied for schema public[\s\S]*SQLSTATE 42501/,
    ],
  ];
  for (const [what, url, message] of refusals) {
    it(`F11: ${what} is said at once, and the password nowhere`, async () => {
      const engine = await guest.engine({ database: "external", databaseUrl: `postgresql://${url()}` });
      const { exitCode, output } = await stack.timed(`F11 ${what}`, () => engine.run("up"));
      assert.notEqual(exitCode, 0, output);
      assert.match(output, message);
      assert.ok(!output.includes(password), "the password is in the output");
    });
  }

  it("F8: an image that is missing is named, and the right one is all that is needed", async () => {
    await missingImage;
    await stack.mends();
  });

  it("F9: a quota that leaves no room for the pod is named, and the next `up` makes another attempt", async () => {
    const remove = await stack.obstacle("ResourceQuota", { hard: { pods: "2" } });
    await stack.suffers({
      name: "F9 quota",
      says: [/Job unity-db-migrate-\S+ gets no pod: .*exceeded quota: obstacle/, /never started; it was ended/],
      up: () => stack.run("up", { values: otherWork }),
      revisions,
    });
    await remove();
    assert.match(await stack.mends({ values: otherWork }), /-2 will be created: unity-db-migrate-[0-9a-f]+ failed/);
  });

  it("F10: a pod that no node has room for is said while it waits, and at the end", async () => {
    const room = { "ephemeral-storage": "900Ti" };
    const limits = [{ type: "Container", default: room, defaultRequest: room }];
    const remove = await stack.obstacle("LimitRange", { limits });
    await stack.suffers({
      name: "F10 unschedulable, to a deadline of 15 s",
      says: [
        /pod pending; pod \S+ can't be scheduled \[Unschedulable\]: .*Insufficient ephemeral-storage/,
        /Job unity-db-migrate-\S+ failed: .*DeadlineExceeded[\s\S]*can't be scheduled/,
      ],
      up: () => stack.run("up", { values: { ...otherWork, deadlineSeconds: "15" } }),
      revisions,
    });
    await remove();
    await stack.mends({ values: otherWork });
  });
});
