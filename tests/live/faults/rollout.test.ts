import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { heads } from "../../fixtures/chains/ninth.ts";
import { type Checkout, checkout } from "../../support/checkout.ts";
import { FaultStack, type Release } from "../../support/faults.ts";
import { fixtureImage } from "../../support/images.ts";

const stack = new FaultStack("rollout");
const revisions = [heads.eighth];
const replicas = (count: number): Release => ({ values: { replicas: String(count) } });

describe("a rollout that can't succeed", () => {
  let copy: Checkout | undefined;
  let image: string;

  before(async () => {
    copy = checkout();
    const main = join(copy.folder, "backend", "app", "main.py");
    writeFileSync(main, `raise RuntimeError("this release can't start")\n${readFileSync(main, "utf8")}`);
    [image] = await Promise.all([fixtureImage(join(copy.folder, "backend")), stack.deploy()]);
  });
  after(async () => {
    copy?.remove();
    await stack.end();
  });

  it("F11: a failing init container's message is shown, and one `up` retries its pod", async () => {
    const { data } = await stack.live.kubectl.get<{ data: Record<string, string> }>("secret", "unity-database");
    const password = Buffer.from(data.POSTGRES_PASSWORD ?? "", "base64").toString();
    await stack.psql("ALTER ROLE homelab_user PASSWORD 'another'");
    await stack.inject({
      name: "F11 init container: wrong password",
      messages: [
        /Rollout of unity-backend failed after/,
        /container "migrate" in pod unity-backend-\S+ exited with code 1 \[Error\]:\s*Migration failed\.\s*.*password authentication failed/,
        /For details, run: kubectl --context \S+ -n unity-test-faults-rollout logs pod\/unity-backend-\S+ --container=migrate/,
      ],
      up: () => stack.run("up", replicas(2)),
      keepsServing: false,
      revisions,
    });
    await stack.psql(`ALTER ROLE homelab_user PASSWORD '${password}'`);
    await stack.recover(replicas(2));
  });

  it("F9: a quota that rejects another pod is named, and one `up` succeeds without it", async () => {
    const remove = await stack.obstacle("ResourceQuota", { hard: { pods: "3" } });
    await stack.inject({
      name: "F9 quota at the rollout",
      messages: [/Deployment unity-backend can't create a pod: .*exceeded quota: obstacle/],
      up: () => stack.run("up", replicas(3)),
      revisions,
    });
    await remove();
    await stack.recover(replicas(3));
  });

  it("F24: a backend that crashes after a migration is named with its last log lines", async () => {
    await stack.inject({
      name: "F24 new backend crashes",
      messages: [
        /container "unity-backend" .* exited with code \d+ \[Error\] repeatedly:[\s\S]*RuntimeError: this release can't start/,
      ],
      up: () => stack.run("up", { values: { image } }),
      revisions,
    });
    await stack.recover();
  });
});
