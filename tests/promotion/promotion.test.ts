import assert from "node:assert/strict";
import { chooseRelease, describePromotion, promotionErrors } from "../../src/promotion/promotion.ts";
import type { ReleaseRecord } from "../../src/promotion/record.ts";

const release: ReleaseRecord = {
  version: 2,
  environment: "staging",
  head: "b",
  chain: "c".repeat(64),
  sql: "s",
  runner: "r",
  image: "sha256:1",
  migrationImage: "sha256:1",
  checks: 13,
  imageName: "unity",
  migrationImageName: "unity",
};
const from = (...records: readonly ReleaseRecord[]) => ({ stack: "staging", records, outdated: 0 });
const later: ReleaseRecord = { ...release, head: "c", chain: "d".repeat(64), image: "sha256:2" };

describe("a promotion", () => {
  it("accepts any release that staging has recorded", () => {
    assert.deepEqual(promotionErrors(release, from(release)), []);
    assert.deepEqual(promotionErrors(release, from(later, release)), []);
  });

  it("reports each difference from the newest release, with short digests", () => {
    const errors = promotionErrors({ ...release, runner: "q", image: null }, from(later));
    assert.deepEqual(errors, ["the image is not pinned by digest; tags are mutable"]);
    assert.deepEqual(promotionErrors(release, from(later)), [
      "head: b (newest in staging: c)",
      "chain: cccccccccccccccc (newest in staging: dddddddddddddddd)",
      "image: sha256:1 (newest in staging: sha256:2)",
    ]);
  });

  it("rejects a source that isn't staging, or has no records", () => {
    const development = from({ ...release, environment: "development" });
    assert.match(String(promotionErrors(release, development)), /stack staging has environment development/);
    assert.match(String(promotionErrors(release, from())), /no verified release/);
    assert.deepEqual(chooseRelease(release, from()), { errors: promotionErrors(release, from()) });
  });

  it("is rejected with the commands that fix it", () => {
    assert.equal(
      describePromotion(["head: …"], "staging", "production"),
      "release not verified in staging; no changes were made:\n  - head: …\n" +
        "To deploy it there first, run: pulumi up --stack staging\n" +
        "Then run: npm run unity -- promote --from staging --to production",
    );
  });
});

describe("the release to promote", () => {
  const checkout = { ...release, image: null, migrationImage: null };

  it("is the newest one of this checkout, with any image", () => {
    assert.deepEqual(chooseRelease(checkout, from(later, release, { ...release, image: "sha256:0" })), {
      chosen: release,
    });
  });

  it("is rejected with the differences if no release is of this checkout", () => {
    assert.deepEqual(chooseRelease(checkout, from(later)), {
      errors: ["head: b (newest in staging: c)", "chain: cccccccccccccccc (newest in staging: dddddddddddddddd)"],
    });
  });

  it("is rejected if its image has no known digest", () => {
    const { errors = [] } = chooseRelease(checkout, from({ ...release, image: null })) as { errors?: string[] };
    assert.match(errors.join(), /pin it there by digest/);
  });
});
