import assert from "node:assert/strict";
import { diff, formatPath, prune } from "../../local/engine/diff.ts";
import {
  annotateSecrets,
  decode,
  hasSecret,
  hasUnknown,
  plain,
  secret,
  show,
  signature,
  unknown,
  type Value,
} from "../../local/engine/values.ts";

const reference = { [signature]: "5cf8f73096256a8f31e491e813e4eb8e", urn: "urn:a", id: "id-a" };
const output = (fields: object) => ({ [signature]: "d0e6a833031e9bbcd3f4e8bde6ca49a4", ...fields }) as Value;

describe("engine values", () => {
  it("unwraps secrets and resource references at any depth", () => {
    assert.deepEqual(plain({ a: [secret("x"), { b: secret({ c: 1 }) }], d: reference }), {
      a: ["x", { b: { c: 1 } }],
      d: "id-a",
    });
  });
  it("decodes output values into secrets and unknowns", () => {
    const decoded = decode({
      known: output({ value: 1 }),
      hidden: output({ value: 2, secret: true }),
      later: output({}),
    });
    assert.deepEqual(decoded, { known: 1, hidden: secret(2), later: unknown });
  });
  it("wraps nested secrets once", () => {
    assert.deepEqual(decode({ a: secret({ b: secret("x") }) }), { a: secret({ b: "x" }) });
  });
  it("rejects assets by name", () => {
    assert.throws(
      () => decode({ a: { [signature]: "c44067f5952c0a294b673a41bacd8c17", text: "x" } }),
      /an asset or archive/,
    );
  });
  it("finds secrets and unknowns in arrays and objects", () => {
    assert.deepEqual(
      [hasSecret([{ a: secret(1) }]), hasSecret([1]), hasUnknown({ a: [unknown] }), hasUnknown({ a: "b" })],
      [true, false, true, false],
    );
  });
  it("marks outputs of secret inputs and a Secret's data as secret", () => {
    const outputs = { kind: "Secret", data: { a: "eA==" }, metadata: { name: "n", uid: "u" } };
    const marked = annotateSecrets(outputs, { metadata: { name: secret("n") } });
    assert.deepEqual(marked, {
      kind: "Secret",
      data: secret({ a: "eA==" }),
      metadata: { name: secret("n"), uid: "u" },
    });
  });
  it("masks secrets and unknowns, and truncates", () => {
    assert.equal(show({ a: secret("hidden"), b: unknown }), '{"a":"[secret]","b":"[unknown]"}');
    assert.equal(show("x".repeat(500)).length, 120);
  });
});

describe("engine diff", () => {
  it("lists added, removed, and changed properties by path", () => {
    const changes = diff({ a: 1, b: { "c.d/e": 2 }, f: [1, 2] }, { b: { "c.d/e": 3 }, f: [1], g: null });
    assert.deepEqual(
      changes.map(({ path, before, after }) => [formatPath(path), before, after]),
      [
        ["a", 1, undefined],
        ['b["c.d/e"]', 2, 3],
        ["f[1]", 2, undefined],
        ["g", undefined, null],
      ],
    );
  });
  it("compares secrets by value and changes them as a whole", () => {
    assert.deepEqual(diff({ a: secret({ b: 1 }) }, { a: secret({ b: 1 }) }), []);
    assert.deepEqual(diff({ a: secret({ b: 1 }) }, { a: { b: 1 } }), []);
    assert.deepEqual(
      diff({ a: secret({ b: 1 }) }, { a: secret({ b: 2 }) }).map(({ path }) => path),
      [["a"]],
    );
  });
  it("prunes properties added by the server", () => {
    const live = { a: 1, b: { c: 2, added: 3 }, list: [{ name: "x", added: 1 }], status: {} };
    assert.deepEqual(prune(live, { a: 9, b: { c: 9 }, list: [{ name: "y" }], gone: 1 }), {
      a: 1,
      b: { c: 2 },
      list: [{ name: "x" }],
    });
  });
});
