import assert from "node:assert/strict";
import { type ManagedFields, transferOwnership } from "../../src/adoption/field-ownership.ts";

const entry = (manager: string, fieldsV1: ManagedFields["fieldsV1"], more: Partial<ManagedFields> = {}) => ({
  manager,
  operation: "Update",
  apiVersion: "apps/v1",
  fieldsType: "FieldsV1",
  fieldsV1,
  ...more,
});
const to = { manager: "unity", operation: "Apply" } as const;
const all = () => true;

describe("transferOwnership", () => {
  it("joins fields of several managers into one entry, and leaves the others", () => {
    const mine = entry("kubectl-client-side-apply", { "f:spec": { "f:replicas": {}, "f:paused": {} } }, { time: "1" });
    const edit = entry("kubectl-edit", { "f:spec": { "f:replicas": {}, "f:template": {} } }, { time: "2" });
    const other = entry("controller", { "f:metadata": {} });
    const fieldsV1 = { "f:spec": { "f:replicas": {}, "f:paused": {}, "f:template": {} } };
    assert.deepEqual(
      transferOwnership([mine, other, edit], to, ({ manager }) => manager !== "controller"),
      [other, { ...edit, ...to, fieldsV1 }],
    );
  });

  it("adds to what the new manager has, and keeps subresources apart", () => {
    const status = entry("kubectl", { "f:status": {} }, { subresource: "status" });
    const own = entry("unity", { "f:a": {} }, { operation: "Apply" });
    const given = entry("unity", { "f:b": {} });
    assert.deepEqual(transferOwnership([status, own, given], to, all), [
      status,
      { ...given, ...to, fieldsV1: { "f:a": {}, "f:b": {} } },
    ]);
  });

  it("returns nothing if the new manager has all fields", () => {
    assert.equal(transferOwnership([entry("unity", {}, { operation: "Apply" })], to, all), undefined);
    assert.equal(transferOwnership([], to, all), undefined);
  });
});
