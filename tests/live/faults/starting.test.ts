import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { heads } from "../../fixtures/chains/ninth.ts";
import { FaultStack } from "../../support/faults.ts";
import { liveStack } from "../../support/live.ts";

const stack = new FaultStack("starting");
const revisions = [heads.eighth];

/** Settings of another Job, within a minute. */
const otherWork = { statementTimeoutSeconds: "10", deadlineSeconds: "20", awaitTimeoutSeconds: "40" };

describe("a migrate Job that can't start", () => {
  /** A stack that uses the other's database. */
  const guest = liveStack("faults-guest");
  const password = randomBytes(12).toString("hex");
  let address: string;
  let missingImage: Promise<void> | undefined;

  before(async () => {
    await stack.deploy();
    await stack.psql(`CREATE ROLE limited LOGIN PASSWORD '${password}'`);
    await stack.psql("CREATE DATABASE closed");
    const where = ["get", "service", "postgres-service", "--output=jsonpath={.spec.clusterIP}"];
    address = await stack.live.kubectl.run(where);
    // A later test waits for it: an unreachable registry has a grace period of half a minute.
    missingImage = stack.inject({
      name: "F8 image missing",
      messages: [
        /can't pull image localhost\/no-such-image:1 \[(ErrImagePull|ImagePullBackOff)\]/,
        /Canceled the Job because it never started/,
      ],
      up: () => stack.run("up", { values: { image: "localhost/no-such-image:1" } }),
      revisions,
    });
    missingImage.catch(() => {});
  });
  after(async () => {
    await missingImage?.catch(() => {}); // its `up` must not run beside the stack's removal
    await Promise.all([guest.remove(), stack.end()]);
  });

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
    it(`F11: ${what} is reported, without the password`, async () => {
      const engine = await guest.engine({ database: "external", databaseUrl: `postgresql://${url()}` });
      const { exitCode, output } = await stack.timed(`F11 ${what}`, () => engine.run("up"));
      assert.notEqual(exitCode, 0, output);
      assert.match(output, message);
      assert.ok(!output.includes(password), "the password is in the output");
    });
  }

  it("F8: a missing image is named, and one `up` with the right one succeeds", async () => {
    await missingImage;
    await stack.recover();
  });

  it("F9: a quota that rejects the pod is named; the next `up` makes another attempt", async () => {
    const remove = await stack.obstacle("ResourceQuota", { hard: { pods: "2" } });
    await stack.inject({
      name: "F9 quota",
      messages: [
        /Job unity-db-migrate-\S+ can't create a pod: .*exceeded quota: obstacle/,
        /Canceled the Job because it never started/,
      ],
      up: () => stack.run("up", { values: otherWork }),
      revisions,
    });
    await remove();
    assert.match(await stack.recover({ values: otherWork }), /-2 will be created: unity-db-migrate-[0-9a-f]+ failed/);
  });

  it("F10: an unschedulable pod is reported during the wait and at its end", async () => {
    const room = { "ephemeral-storage": "900Ti" };
    const limits = [{ type: "Container", default: room, defaultRequest: room }];
    const remove = await stack.obstacle("LimitRange", { limits });
    await stack.inject({
      name: "F10 unschedulable, to a start timeout of 15 s",
      messages: [
        /pod pending; pod \S+ can't be scheduled \[Unschedulable\]: .*Insufficient ephemeral-storage/,
        /Job unity-db-migrate-\S+ failed after \d+s: its migration did not start within 15s[\s\S]*can't be scheduled/,
      ],
      up: () => stack.run("up", { values: { ...otherWork, startTimeoutSeconds: "15" } }),
      revisions,
    });
    await remove();
    await stack.recover({ values: otherWork });
  });
});
