import assert from "node:assert/strict";
import { contentHash, migrationJobName } from "../../migrations/job-identity.ts";

describe("contentHash", () => {
  it("does not depend on the order of keys", () => {
    assert.equal(contentHash({ a: 1, b: { c: [1, 2], d: null } }), contentHash({ b: { d: null, c: [1, 2] }, a: 1 }));
  });

  const different: [string, unknown, unknown][] = [
    ["values", { a: 1 }, { a: 2 }],
    ["types", { a: 1 }, { a: "1" }],
    ["the order of a list", [1, 2], [2, 1]],
    ["where a key stands", { a: { b: 1 } }, { b: { a: 1 } }],
    ["a missing key and null", {}, { a: null }],
  ];
  for (const [what, one, other] of different) {
    it(`tells ${what} apart`, () => assert.notEqual(contentHash(one), contentHash(other)));
  }
});

describe("migrationJobName", () => {
  it("changes with the chain and with the spec, and with nothing else", () => {
    const name = migrationJobName("unity-db-migrate", "chain", { image: "a" });
    assert.equal(name, migrationJobName("unity-db-migrate", "chain", { image: "a" }));
    assert.notEqual(name, migrationJobName("unity-db-migrate", "other", { image: "a" }));
    assert.notEqual(name, migrationJobName("unity-db-migrate", "chain", { image: "b" }));
    assert.match(name, /^unity-db-migrate-[0-9a-f]{10}$/);
  });
});
