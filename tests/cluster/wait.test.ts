import assert from "node:assert/strict";
import type { KubectlErrorKind } from "../../src/cluster/kubectl.ts";
import { KubectlError } from "../../src/cluster/kubectl.ts";
import type { PollResult } from "../../src/cluster/wait/poll-result.ts";
import { pollUntilDone, waitFor } from "../../src/cluster/wait/wait.ts";
import { fakeKubectl } from "../support/fake-kubectl.ts";

const pending = (progress: string): PollResult => ({ done: false, progress, causes: [] });
const done: PollResult = { done: true, progress: "complete", causes: [] };

/** Polls results, or errors, in their order. */
async function polled(...results: readonly (PollResult | Error)[]) {
  const lines: string[] = [];
  const left = [...results];
  const poll = async () => {
    const next = left.shift() ?? assert.fail("polled after the end");
    if (next instanceof Error) throw next;
    return next;
  };
  const print = (line: string) => lines.push(line);
  const outcome = await pollUntilDone({ poll, timeoutSeconds: 60, pause: () => 0, print });
  return { ...outcome, lines };
}

describe("pollUntilDone", () => {
  it("prints each progress once, until the result is done", async () => {
    const { result, failure, lines } = await polled(pending("0/2"), pending("0/2"), pending("1/2"), done);
    assert.deepEqual([result, failure], [done, undefined]);
    assert.deepEqual(lines, ["0/2 (0s)", "1/2 (0s)"]);
  });

  it("ends with the failure of a result", async () => {
    const { failure } = await polled(pending("0/2"), { ...pending("0/2"), failed: "deleted" });
    assert.equal(failure?.message, "failed after 0s: deleted");
  });

  it("polls again after an error that a retry may fix", async () => {
    const { result, lines } = await polled(new KubectlError("connection refused"), done);
    assert.deepEqual([result, lines], [done, ["no response from the cluster (0s)"]]);
  });

  for (const kind of ["not-installed", "unknown-context", "forbidden"] as const) {
    it(`ends with the error ${kind}, which no retry fixes`, async () => {
      const { failure } = await polled(new KubectlError("no", kind));
      assert.equal(failure?.cause?.text, "can't query the cluster: no");
    });
  }
});

describe("waitFor", () => {
  const target = { context: "here", namespace: "unity", name: "app", timeoutSeconds: 60 };
  const waiter = { title: "Job app", advice: "To retry, rerun: pulumi up", kubectlArgs: ["describe", "job/app"] };

  it("prints the object's last progress with its duration", async () => {
    using fake = fakeKubectl();
    const lines: string[] = [];
    await waitFor(fake.kubectl, target, { ...waiter, poll: async () => done }, (line) => lines.push(line));
    assert.match(lines.join("\n"), /^Job app: complete after 0\.\ds$/);
  });

  it("fails with the cause, what it canceled, how to retry, and where to look", async () => {
    using fake = fakeKubectl();
    const cause = { key: "quota", text: "no room", gracePeriodSeconds: 0, kubectlArgs: ["describe", "pod/app"] };
    const poll = async () => ({ ...pending("no pod yet"), causes: [cause] });
    const giveUp = async () => "Canceled the Job because it never started.";
    await assert.rejects(
      waitFor(fake.kubectl, target, { ...waiter, poll, giveUp }, () => {}),
      {
        message: [
          "Job app failed after 0s (no pod yet).",
          "no room",
          "Canceled the Job because it never started.",
          "To retry, rerun: pulumi up",
          "For details, run: kubectl --context here -n unity describe job/app",
        ].join("\n"),
      },
    );
  });
});

describe("KubectlError", () => {
  const table: readonly [message: string, kind: KubectlErrorKind][] = [
    ['error: context "nowhere" does not exist', "unknown-context"],
    ['Error from server (Forbidden): jobs.batch is forbidden: User "x" cannot list resource "jobs"', "forbidden"],
    ["error: You must be logged in to the server (Unauthorized)", "forbidden"],
    ["Error from server (Conflict): the object has been modified; please apply your changes", "conflict"],
    ["The connection to the server 127.0.0.1:6443 was refused", "other"],
  ];
  for (const [message, kind] of table) {
    it(`of "${message.slice(0, 40)}…" has the kind ${kind}`, () => {
      assert.equal(new KubectlError(message).kind, kind);
    });
  }
});
