import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { changeEnvironment } from "../support/environment.ts";
import { Scratch, stepsOf } from "./support.ts";

describe("engine update", () => {
  let scratch: Scratch;
  afterEach(() => scratch.remove());
  const listing = (resources: object[], more: object = {}) => scratch.settings({ resources, ...more });

  it("previews without running commands, creates, then has no changes", async () => {
    scratch = new Scratch("commands");
    const created = join(scratch.folder, "created");
    listing([
      { name: "one", args: { create: `date +%N; touch ${created}` } },
      { name: "two", args: { create: "echo two" }, inside: "group", after: ["one"] },
    ]);
    const preview = await scratch.run("preview");
    assert.deepEqual(stepsOf(preview), ["create group", "create one", "create scratch-dev", "create two"]);
    assert.equal(scratch.storedText(), "");
    assert.equal(existsSync(created), false);
    const up = await scratch.run("up");
    assert.deepEqual([up.exit, stepsOf(up)], [0, stepsOf(preview)]);
    assert.equal(existsSync(created), true);
    const again = await scratch.run("up", { expectNoChanges: true });
    assert.deepEqual([again.exit, stepsOf(again), again.outputs], [0, [], up.outputs]);
    assert.equal((await scratch.run("preview", { expectNoChanges: true })).exit, 0);
  });

  it("updates in place, replaces on triggers, and deletes unregistered resources", async () => {
    scratch = new Scratch("commands");
    const trace = join(scratch.folder, "trace");
    const args = {
      create: `echo created >> ${trace}`,
      update: `echo updated >> ${trace}`,
      delete: `echo deleted >> ${trace}`,
    };
    listing([{ name: "one", args }]);
    await scratch.run("up");
    listing([{ name: "one", args: { ...args, environment: { A: "1" } } }]);
    assert.deepEqual(stepsOf(await scratch.run("up")), ["update one"]);
    listing([{ name: "one", args: { ...args, environment: { A: "1" }, triggers: [1] } }]);
    const preview = await scratch.run("preview");
    assert.match(scratch.text, /triggers: \[1\]/);
    assert.deepEqual(stepsOf(preview), ["replace one"]);
    assert.deepEqual(stepsOf(await scratch.run("up")), ["replace one"]);
    assert.deepEqual(readFileSync(trace, "utf8").trim().split("\n"), ["created", "updated", "created", "deleted"]);
    listing([]);
    assert.deepEqual(stepsOf(await scratch.run("up")), ["delete one"]);
    assert.equal((await scratch.run("preview", { expectNoChanges: true })).exit, 0);
  });

  it("runs a program that serializes a function", async () => {
    scratch = new Scratch("closure");
    const { exit, outputs } = await scratch.run("preview");
    assert.equal(exit, 0, scratch.text);
    assert.match(String(outputs.text), /answer: 42/);
  });

  it("changes all but ignored properties", async () => {
    scratch = new Scratch("commands");
    const of = (environment: object, create = "true") => ({
      name: "one",
      args: { create, environment },
      options: { ignoreChanges: ["environment.A"] },
    });
    listing([of({ A: "1" })]);
    await scratch.run("up");
    listing([of({ A: "2" })]);
    assert.equal((await scratch.run("up", { expectNoChanges: true })).exit, 0);
    listing([of({ A: "2", B: "1" })]);
    const changed = await scratch.run("up");
    assert.deepEqual(
      changed.steps.flatMap(({ changes }) => changes.map(({ path }) => path.join("."))),
      ["environment.B"],
    );
    assert.match(scratch.storedText(), /"A": ?"1"/);
    listing([{ ...of({}), options: { ignoreChanges: ["environment[*]"] } }]);
    assert.equal((await scratch.run("preview")).exit, 4);
    assert.match(scratch.text, /ignoreChanges with \* or \[ \] is not supported by the embedded engine/);
  });

  it("destroys in reverse order", async () => {
    scratch = new Scratch("commands");
    const trace = join(scratch.folder, "trace");
    const of = (name: string, more: object = {}) => ({
      name,
      args: { create: "true", delete: `echo ${name} >> ${trace}` },
      ...more,
    });
    listing([of("one"), of("two", { after: ["one"] }), of("three", { after: ["two"] })]);
    await scratch.run("up");
    await scratch.run("destroy");
    assert.deepEqual(readFileSync(trace, "utf8").trim().split("\n"), ["three", "two", "one"]);
  });

  it("stops dependents and deletions after a failure, then resumes", async () => {
    scratch = new Scratch("commands");
    const trace = join(scratch.folder, "trace");
    const old = { name: "old", args: { create: "true", delete: `echo deleted >> ${trace}` } };
    const of = (create: string) => [
      { name: "bad", args: { create } },
      { name: "next", args: { create: `echo next >> ${trace}` }, after: ["bad"] },
    ];
    listing([old]);
    await scratch.run("up");
    listing(of("echo no such luck >&2; exit 3"));
    const failed = await scratch.run("up");
    assert.equal(failed.exit, 4);
    assert.match(scratch.text, /\(bad\):\n.*exit status 3: running "echo no such luck/);
    assert.throws(() => readFileSync(trace), /ENOENT/);
    assert.doesNotMatch(scratch.storedText(), /::bad/);
    listing(of("true"));
    assert.deepEqual(stepsOf(await scratch.run("up")), ["create bad", "create next", "delete old"]);
  });

  it("runs independent steps in parallel", async () => {
    scratch = new Scratch("commands");
    const meet = (mine: string, other: string) =>
      `touch ${mine}; for i in $(seq 100); do [ -e ${other} ] && exit 0; sleep 0.1; done; exit 1`;
    const [a, b] = [join(scratch.folder, "a"), join(scratch.folder, "b")];
    listing([
      { name: "a", args: { create: meet(a, b) } },
      { name: "b", args: { create: meet(b, a) } },
    ]);
    assert.equal((await scratch.run("up")).exit, 0);
  });

  it("masks secrets in output, errors, and state", async () => {
    scratch = new Scratch("commands");
    using _environment = changeEnvironment({ PULUMI_CONFIG_PASSPHRASE: "x" });
    const of = (create: string, more: object = {}) => ({
      name: "one",
      args: { create },
      secretInput: "hunter2-é",
      ...more,
    });
    listing([of("echo $SECRET")]);
    const up = await scratch.run("up");
    assert.equal(up.exit, 0);
    assert.doesNotMatch(scratch.text + scratch.storedText(), /hunter2/);
    assert.match(scratch.text, /\[secret\]/);
    listing([of("echo $SECRET; exit 1")]);
    assert.equal((await scratch.run("up")).exit, 4);
    assert.doesNotMatch(scratch.text + scratch.storedText(), /hunter2/);
  });

  it("reports a program error once", async () => {
    scratch = new Scratch("commands");
    listing([], { fail: "the settings are odd", say: "hello there" });
    const failed = await scratch.run("up");
    assert.equal(failed.exit, 1);
    assert.equal(scratch.text.match(/the settings are odd/g)?.length, 1);
    assert.match(scratch.text, /hello there/);
  });

  it("keeps a line of any length", async () => {
    scratch = new Scratch("commands");
    listing([{ name: "one", args: { create: "head -c 300000 /dev/zero | tr '\\0' x" } }]);
    const { outputs } = await scratch.run("up");
    assert.equal((outputs.all as { one: string }).one.length, 300_000);
  });

  it("rejects a provider function by name", async () => {
    scratch = new Scratch("invoke");
    assert.equal((await scratch.run("preview")).exit, 1);
    assert.match(scratch.text, /invoke is not supported by the embedded engine: use the Pulumi CLI/);
  });

  it("rejects an unsupported resource type by name", async () => {
    scratch = new Scratch("unknown-type");
    for (const verb of ["preview", "up"] as const) {
      assert.equal((await scratch.run(verb)).exit, 4);
      assert.match(scratch.text, /aws:s3\/bucket:Bucket is not supported by the embedded engine.*use the Pulumi CLI/);
    }
  });
  const unsupported: readonly [option: string, value: unknown][] = [
    ["import", "some-id"],
    ["protect", true],
    ["deleteBeforeReplace", true],
    ["customTimeouts", { create: "1s" }],
  ];
  for (const [option, value] of unsupported)
    it(`rejects the option ${option} by name`, async () => {
      scratch = new Scratch("unsupported");
      scratch.settings({ options: { [option]: value } });
      assert.equal((await scratch.run("up")).exit, 4);
      assert.match(scratch.text, new RegExp(`odd: ${option} is not supported`));
    });

  it("accepts an empty replaceWith", async () => {
    scratch = new Scratch("unsupported");
    scratch.settings({ options: { replaceWith: [] } });
    assert.equal((await scratch.run("up")).exit, 0);
  });

  it("fails if no changes are expected but there are some", async () => {
    scratch = new Scratch("commands");
    listing([{ name: "one", args: { create: "true" } }]);
    assert.equal((await scratch.run("preview", { expectNoChanges: true })).exit, 1);
  });
});
