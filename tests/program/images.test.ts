import assert from "node:assert/strict";
import { withTag } from "../support/images.ts";

describe("withTag", () => {
  const digest = `sha256:${"a".repeat(64)}`;
  const cases: [string, string][] = [
    ["localhost/unity-backend:1", "localhost/unity-backend:t"],
    ["registry.example:5000/unity-backend:1.0", "registry.example:5000/unity-backend:t"],
    [`registry.example:5000/unity-backend@${digest}`, "registry.example:5000/unity-backend:t"],
  ];
  for (const [reference, expected] of cases) {
    it(`replaces the end of ${reference.slice(0, 45)}`, () => assert.equal(withTag(reference, "t"), expected));
  }
});
