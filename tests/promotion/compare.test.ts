import assert from "node:assert/strict";
import { chooseRelease, describePromotion, promotionErrors } from "../../src/promotion/compare.ts";
import type { ReleaseRecord } from "../../src/promotion/record.ts";

const release: ReleaseRecord = {
  version: 1,
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
const from = (...records: readonly ReleaseRecord[]) => ({ stack: "staging", records });
const later: ReleaseRecord = { ...release, head: "c", chain: "d".repeat(64), image: "sha256:2" };

describe("a promotion", () => {
  it("is right for what staging has recorded, the newest or an earlier one", () => {
    assert.deepEqual(promotionErrors(release, from(release)), []);
    assert.deepEqual(promotionErrors(release, from(later, release)), []);
  });

  it("names each difference from the newest, digests shortened", () => {
    const errors = promotionErrors({ ...release, runner: "q", image: null }, from(later));
    assert.deepEqual(errors, [
      "This stack names its image by a tag, which may be moved: a release is known by its digest.",
    ]);
    assert.deepEqual(promotionErrors(release, from(later)), [
      "head: this is b, the newest of staging is c",
      "chain: this is cccccccccccccccc, the newest of staging is dddddddddddddddd",
      "image: this is sha256:1, the newest of staging is sha256:2",
    ]);
  });

  it("takes nothing of a stack that is not for staging, or has recorded nothing", () => {
    const development = from({ ...release, environment: "development" });
    assert.match(String(promotionErrors(release, development)), /Stack staging is for development/);
    assert.match(String(promotionErrors(release, from())), /recorded no release/);
    assert.deepEqual(chooseRelease(release, from()), { errors: promotionErrors(release, from()) });
  });

  it("is refused with what to do", () => {
    assert.equal(
      describePromotion(["head: …"], "staging", "production"),
      "Refused: this release has not succeeded in staging. Nothing was changed.\n  - head: …\n" +
        "Deploy it there first: pulumi up --stack staging. " +
        "Then take it: npm run unity -- promote --from staging --to production",
    );
  });
});

describe("the release to promote", () => {
  const checkout = { ...release, image: null, migrationImage: null };

  it("is the newest that this checkout is, whatever its image", () => {
    assert.deepEqual(chooseRelease(checkout, from(later, release, { ...release, image: "sha256:0" })), {
      chosen: release,
    });
  });

  it("is none where this checkout is another, and says in what, images apart", () => {
    assert.deepEqual(chooseRelease(checkout, from(later)), {
      errors: [
        "head: this is b, the newest of staging is c",
        "chain: this is cccccccccccccccc, the newest of staging is dddddddddddddddd",
      ],
    });
  });

  it("is none where nobody knows the digest of what ran", () => {
    const { errors = [] } = chooseRelease(checkout, from({ ...release, image: null })) as { errors?: string[] };
    assert.match(errors.join(), /name it there by its digest/);
  });
});
