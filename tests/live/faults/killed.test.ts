import { setTimeout as delay } from "node:timers/promises";
import { heads } from "../../fixtures/chains/ninth.ts";
import { FaultStack, type NinthRelease, ninthRelease } from "../../support/faults.ts";

const minutes = 60_000;
/** Number of times that `up` is killed: `UNITY_KILLS=100 make faults` for more. */
const kills = Number(process.env.UNITY_KILLS ?? 5);
/** Bound of the random moment at which `up` is killed: a whole one takes about that long. */
const longestSeconds = 9;
const stack = new FaultStack("killed");

describe("an `up` that is killed", () => {
  let ninth: NinthRelease;

  before(async () => {
    [ninth] = await Promise.all([ninthRelease(), stack.deploy()]);
  });
  after(async () => {
    ninth?.remove();
    await stack.end();
  });

  it("F15: at random moments is recovered by one `up`", async function () {
    this.timeout(kills * 2 * minutes);
    const forth = { ...ninth, values: { ...ninth.values, toleratedRevisions: "" } };
    const back = { values: { toleratedRevisions: heads.ninth } };
    for (let count = 1; count <= kills; count++) {
      // Alternates: the eighth revision's release tolerates the ninth, so that each run rolls out another backend.
      await stack.alembic("downgrade", heads.eighth).catch(() => {});
      const release = count % 2 === 1 ? forth : back;
      const stop = new AbortController();
      const engine = await stack.engine(release);
      const running = engine.run("up", [], false, stop.signal);
      const seconds = Math.random() * longestSeconds;
      await Promise.race([running, delay(seconds * 1000)]);
      stop.abort("SIGKILL");
      const ended = (await running).exitCode === 0;
      await engine.unlock();
      await stack.recover(release).catch((error: Error) => {
        throw new Error(`killed after ${seconds.toFixed(2)} s, run ${count}: ${error.message}`);
      });
      await stack.assertConsistent(count % 2 === 1 ? [heads.ninth] : [heads.eighth, heads.ninth]);
      console.log(`fault-kill\t${count}/${kills}\tafter ${seconds.toFixed(2)} s${ended ? ", when it had ended" : ""}`);
    }
  });
});
