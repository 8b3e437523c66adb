import assert from "node:assert/strict";
import { majorOfTag, majorOfVersion, majorVersionError } from "../../src/manifests/postgres.ts";

describe("majorOfTag", () => {
  const digest = `@sha256:${"0".repeat(64)}`;
  const cases: readonly [image: string, major: number | undefined][] = [
    ["postgres:17", 17],
    ["postgres:17.2-bookworm", 17],
    ["postgres:16-alpine", 16],
    ["registry.example:5000/library/postgres:15.4", 15],
    [`postgres:17${digest}`, 17],
    [`postgres${digest}`, undefined],
    ["postgres:latest", undefined],
    ["localhost/unity-postgres:15ab34cd56ef", undefined],
    ["localhost/unity-postgres:123456789012", undefined],
    ["registry.example:5000/postgres", undefined],
    ["registry.example/postgres:24.04", undefined],
    ["registry.example/postgres:26-01-31", undefined],
  ];
  for (const [image, major] of cases)
    it(`is ${major} for ${image.replace(/0{64}/, "…")}`, () => assert.equal(majorOfTag(image), major));
});

describe("majorOfVersion", () => {
  it("is the number that postgres --version prints first", () => {
    assert.equal(majorOfVersion("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"), 15);
    assert.equal(majorOfVersion("postgres (PostgreSQL) 18beta1"), 18);
    assert.equal(majorOfVersion("sh: postgres: not found"), undefined);
  });
});

describe("majorVersionError", () => {
  it("is undefined for the same version, or one that is unknown", () => {
    for (const [image, data] of [
      [17, 17],
      [undefined, 17],
      [17, undefined],
    ] as const)
      assert.equal(majorVersionError("i", image, data), undefined);
  });
  it("names both versions and the upgrade for another one, newer or older", () => {
    assert.match(
      majorVersionError("i", 18, 17) ?? "",
      /^image i contains PostgreSQL 18, .* PostgreSQL 17; .*\n.*upgrade/,
    );
    assert.match(majorVersionError("i", 16, 17) ?? "", /contains PostgreSQL 16/);
  });
});
