import assert from "node:assert/strict";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { heads, ninthCheckout } from "../../fixtures/chains/ninth.ts";
import { type Deployed, FaultStack } from "../../support/faults.ts";
import { fixtureImage } from "../../support/images.ts";
import type { Checkout } from "../../support/live.ts";

const minutes = 60_000;
/** How many times `up` is killed: `UNITY_KILLS=100 make faults` for more. */
const kills = Number(process.env.UNITY_KILLS ?? 5);
/** `up` is killed within its first seconds, at a random moment: a whole one takes about that long. */
const longestSeconds = 9;
const stack = new FaultStack("killed");

describe("an `up` that is killed", () => {
  let copy: Checkout;
  let ninth: Deployed;

  before(async function () {
    this.timeout(5 * minutes);
    [copy] = await Promise.all([ninthCheckout(), stack.deploy()]);
    ninth = { folder: copy.folder, values: { image: await fixtureImage(join(copy.folder, "backend")) } };
  });
  after(async function () {
    this.timeout(5 * minutes);
    copy?.remove();
    await stack.end();
  });

  it("F15: at random moments is followed by one `up` that mends everything", async function () {
    this.timeout(kills * minutes);
    this.retries(0);
    const moments: number[] = [];
    for (let count = 1; count <= kills; count++) {
      // There and back: the eighth revision's release tolerates the ninth, so that each run rolls out another backend.
      await stack.alembic("downgrade", heads.eighth).catch(() => {});
      const release = count % 2 === 1 ? ninth : { values: { toleratedRevisions: heads.ninth } };
      const stop = new AbortController();
      const running = stack.run("up", release, [], stop.signal);
      const seconds = Math.random() * longestSeconds;
      const ended = await Promise.race([running.then(() => true), delay(seconds * 1000).then(() => false)]);
      stop.abort("SIGKILL");
      const { exitCode } = await running;
      if (!ended) assert.notEqual(exitCode, 0);
      moments.push(seconds);
      await stack.mends(release).catch((error: Error) => {
        throw new Error(`killed after ${seconds.toFixed(2)} s, run ${count}: ${error.message}`);
      });
      const [rows, sessions] = (
        await stack.psql(
          "SELECT string_agg(version_num, ','), (SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'unity-migrate%') FROM alembic_version",
        )
      ).split("|");
      assert.ok(
        [heads.eighth, heads.ninth].some((head) => head === rows),
        rows,
      );
      assert.equal(sessions, "0");
      console.log(`fault-kill\t${count}/${kills}\tafter ${seconds.toFixed(2)} s${ended ? ", when it had ended" : ""}`);
    }
    assert.equal(moments.length, kills);
  });
});
