import assert from "node:assert/strict";
import type { CheckResults } from "../../src/checks/result.ts";
import { digestOf, nameOf, withDigest } from "../../src/manifests/image-reference.ts";
import {
  addRecord,
  declareRelease,
  identify,
  isSame,
  parseRecords,
  type ReleaseParts,
  recordRelease,
  recordVerified,
} from "../../src/promotion/record.ts";
import { linearLock } from "../fixtures/chains/locks.ts";
import { shortTitle } from "../support/titles.ts";

const digest = (character: string) => `sha256:${character.repeat(64)}`;
const lock = linearLock("r1", "r2", "r3");
const parts: ReleaseParts = {
  lock,
  head: "r3",
  runnerFiles: { "migrate.py": "pass" },
  image: `registry.example:5000/unity@${digest("a")}`,
  migrationImage: undefined,
};
const results = (image?: string) =>
  ({
    revision: { name: "revision", passed: true },
    pods: { name: "pods", passed: true, image },
    health: { name: "health", passed: true },
  }) as unknown as CheckResults;
const names = { jobName: "job", configMapName: "runner" };
const declare = (changes: Partial<ReleaseParts> = {}) =>
  declareRelease({ ...parts, environment: "staging", ...changes }, names);
const record = (changes: Partial<ReleaseParts> = {}, image?: string) => recordRelease(declare(changes), results(image));

describe("an image reference", () => {
  const table: readonly [reference: string, name: string, digest: string | undefined][] = [
    ["unity", "unity", undefined],
    ["registry.example:5000/unity", "registry.example:5000/unity", undefined],
    ["registry.example:5000/unity:1.0", "registry.example:5000/unity", undefined],
    [`registry.example:5000/unity:1.0@${digest("a")}`, "registry.example:5000/unity", digest("a")],
    [`unity@${digest("a")}`, "unity", digest("a")],
    [digest("a"), "sha256", undefined], // an image's id, which no registry knows
  ];
  for (const [reference, name, found] of table)
    it(shortTitle(`is parsed: ${reference}`), () =>
      assert.deepEqual([nameOf(reference), digestOf(reference)], [name, found]),
    );
  it("takes another digest", () => assert.equal(withDigest("h:5/u:1", digest("b")), `h:5/u@${digest("b")}`));
});

describe("the record of a release", () => {
  it("is identified as the release was before its deployment", () => {
    assert.ok(isSame(record(), identify(parts)));
    const migrationImage = `registry.example/unity@${digest("b")}`;
    assert.ok(isSame(record({ migrationImage }), identify({ ...parts, migrationImage })));
  });

  it("is the same for the same release, without place or time", () => {
    assert.deepEqual(record(), record());
    assert.deepEqual(Object.keys(record()).sort(), [
      "chain",
      "checks",
      "environment",
      "head",
      "image",
      "imageName",
      "migrationImage",
      "migrationImageName",
      "runner",
      "sql",
      "version",
    ]);
    assert.equal(record().checks, 3);
  });

  const [first, ...others] = lock.revisions;
  const changed = (change: object) => ({
    lock: { ...lock, revisions: [{ ...first, ...change }, ...others] } as typeof lock,
  });
  const other: readonly [what: string, changes: Partial<ReleaseParts>][] = [
    ["head", { head: "r2" }],
    ["file", changed({ sha256: "f".repeat(64) })],
    ["SQL of the same file", changed({ upgrade: { sql: ["CREATE TABLE other ()"] } })],
    ["runner", { runnerFiles: { "migrate.py": "raise" } }],
    ["image", { image: `registry.example:5000/unity@${digest("b")}` }],
    ["image that migrates", { migrationImage: `registry.example:5000/unity@${digest("b")}` }],
  ];
  for (const [what, changes] of other) {
    it(`differs for another ${what}`, () => {
      assert.ok(!isSame(identify(parts), identify({ ...parts, ...changes })));
      assert.ok(!isSame(record(), record(changes)));
      assert.notDeepEqual(declare(), declare(changes));
    });
  }

  it("is the same for another registry, tag, or revision beyond its head", () => {
    const image = `mirror.example/unity:1.0@${digest("a")}`;
    assert.ok(isSame(record(), record({ image })));
    assert.ok(isSame(record({ head: "r2" }), record({ head: "r2", lock: linearLock("r1", "r2") })));
  });

  it("has the digest of the pods if the image is not pinned", () => {
    const { image, migrationImage, imageName } = record({ image: "registry.example:5000/unity:1.0" }, digest("a"));
    assert.deepEqual([image, migrationImage, imageName], [digest("a"), digest("a"), "registry.example:5000/unity"]);
  });

  it("has no unknown digest", () => {
    const { image, migrationImage } = record({ image: "unity:1.0" });
    assert.deepEqual([image, migrationImage], [null, null]);
    assert.equal(record({ image: "unity:1", migrationImage: "unity:2" }, digest("a")).migrationImage, null);
  });
});

describe("the records of a stack", () => {
  it("are the newest twenty, each release once", () => {
    const [one, two] = [record(), record({ head: "r2" })];
    assert.deepEqual(addRecord([two, one], one), [one, two]);
    const many = Array.from({ length: 30 }, (_, index) => ({ ...one, head: `h${index}` }));
    assert.equal(addRecord(many, one).length, 20);
    assert.equal(addRecord(many, one)[0], one);
  });

  it("are those of the releases that the checks verified", () => {
    const [one, two] = [record(), record({ head: "r2" })];
    assert.deepEqual(recordVerified([one], declare({ head: "r2" }), results()), [two, one]);
    assert.deepEqual(recordVerified([one], undefined, undefined), [one]);
  });

  it("are none of a release that the checks didn't compare with the cluster", () => {
    for (const missing of [["revision"], ["pods"], ["revision", "pods"]]) {
      const others = Object.entries(results()).filter(([name]) => !missing.includes(name));
      assert.deepEqual(recordVerified([], declare(), Object.fromEntries(others)), []);
    }
  });

  it("are parsed from an output, without those of another version", () => {
    const [good, old] = [record(), { ...record(), version: 1 }];
    const output = [good, old, { ...good, image: 1 }, { ...good, sql: undefined }, null, "x"];
    assert.deepEqual(parseRecords(output), { records: [good], outdated: 5 });
    for (const output of [undefined, null, "x", {}])
      assert.deepEqual(parseRecords(output), { records: [], outdated: 0 });
  });

  it("are those of one app if the output has several", () => {
    const [notes, tasks] = [record(), record({ head: "r2" })];
    const output = { notes: [notes], tasks: [tasks] };
    assert.deepEqual(parseRecords(output, "tasks").records, [tasks]);
    assert.deepEqual(parseRecords([notes], "notes").records, [notes]);
    for (const app of ["shop", "constructor", undefined]) assert.deepEqual(parseRecords(output, app).records, []);
  });
});
