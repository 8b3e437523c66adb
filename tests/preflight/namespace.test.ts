import assert from "node:assert/strict";
import { namespaceLabels } from "../../src/manifests/security.ts";
import { namespaceError } from "../../src/preflight/namespace.ts";

const target = { context: "here", namespace: "apart" };
const enforce = "pod-security.kubernetes.io/enforce";

describe("a namespace that the stack doesn't create", () => {
  it("is accepted if it enforces the standard, whatever its other labels", () => {
    assert.equal(namespaceError(namespaceLabels("restricted"), target), null);
    assert.equal(namespaceError({ [enforce]: "restricted", team: "a" }, target), null);
  });

  const rejected: readonly [what: string, labels: Record<string, string> | undefined, message: RegExp][] = [
    ["doesn't exist", undefined, /^namespace apart \(context here\) doesn't exist; no changes were made\n/],
    ["has no labels", {}, /lacks the label pod-security\.kubernetes\.io\/enforce=restricted, so it/],
    [
      "only warns",
      { "pod-security.kubernetes.io/warn": "restricted" },
      /lacks the label pod-security\.kubernetes\.io\/enforce=restricted/,
    ],
    ["enforces less", { [enforce]: "baseline" }, /has the label \S+enforce=baseline instead of \S+enforce=restricted/],
  ];
  for (const [what, labels, message] of rejected) {
    it(`is rejected if it ${what}, with the administrator's command`, () => {
      const error = namespaceError(labels, target) ?? assert.fail("accepted");
      assert.match(error, message);
      assert.match(error, /kubectl --context here apply --server-side --force-conflicts --filename=k8s\/access$/m);
    });
  }

  it("must enforce the level of the stack's pods, neither less nor more", () => {
    assert.equal(namespaceError({ [enforce]: "baseline" }, target, "baseline"), null);
    assert.match(
      namespaceError({ [enforce]: "restricted" }, target, "baseline") ?? "",
      /enforce=restricted instead of \S+enforce=baseline, so it may reject pods that unity:podSecurityStandard allows/,
    );
    assert.match(
      namespaceError({ [enforce]: "privileged" }, target, "baseline") ?? "",
      /enforce=privileged instead of \S+enforce=baseline, so it allows privileged pods/,
    );
  });
});
