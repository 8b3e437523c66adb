import { deepEqual, equal, notEqual, rejects, throws } from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { buildKey, isSuitableKubectl } from "../../local/cluster/build.ts";
import { parseHierarchies } from "../../local/cluster/cgroups.ts";
import { requireFreePorts } from "../../local/cluster/conflicts.ts";
import { withLock } from "../../local/cluster/lock.ts";
import { mountsBelow } from "../../local/cluster/mounts.ts";
import { isolationRules } from "../../local/cluster/network.ts";
import { endProcesses, startTimeOf } from "../../local/cluster/processes.ts";
import { waitFor } from "../../local/cluster/progress.ts";
import { elapsedText } from "../../src/cli/progress.ts";
import { temporaryFolder } from "../support/folder.ts";

describe("local cluster", () => {
  it("rebuilds only when a source, the Go version, or the programs change", () => {
    const source = (change: Record<string, string>) => (file: string) => change[file] ?? `text of ${file}`;
    const key = buildKey("go1.26.8", true, source({}));
    equal(buildKey("go1.26.8", true, source({})), key);
    notEqual(buildKey("go1.26.9", true, source({})), key);
    notEqual(buildKey("go1.26.8", false, source({})), key);
    for (const file of ["go.mod", "go.sum", "main.go", "kubectl.go", "provisioner.go", "pause/main.go"])
      notEqual(buildKey("go1.26.8", true, source({ [file]: "changed" })), key, file);
  });

  it("uses a kubectl of the same minor version, or of the one before or after", () => {
    const goMod = "require (\n\tk8s.io/kubernetes v1.34.4\n)\n";
    const output = (version: string) => JSON.stringify({ clientVersion: { gitVersion: version } }, null, 2);
    for (const version of ["v1.33.0", "v1.34.9-rc.1", "v1.35.2"])
      equal(isSuitableKubectl(output(version), goMod), true);
    for (const version of ["v1.32.4-dispatcher", "v1.36.0", "v2.34.0", ""])
      equal(isSuitableKubectl(output(version), goMod), false, version);
    equal(isSuitableKubectl("", goMod), false);
  });

  it("uses all control group hierarchies of version 1, or the one of version 2", () => {
    const two = "cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n";
    const one = "cgroup /sys/fs/cgroup/cpu cgroup rw,cpu 0 0\ncgroup /sys/fs/cgroup/pids cgroup rw,pids 0 0\n";
    deepEqual(
      parseHierarchies(one + two).map((hierarchy) => hierarchy.mountPoint),
      ["/sys/fs/cgroup/cpu", "/sys/fs/cgroup/pids"],
    );
    deepEqual(parseHierarchies(two), [{ mountPoint: "/sys/fs/cgroup/unified", version: 2 }]);
  });

  it("finds the mounts below its folder, the latest first, and no others", () => {
    const line = (point: string) => `36 35 98:0 / ${point} rw,noatime - ext4 /dev/root rw`;
    const info = ["/state/a", "/state/a/b\\040c", "/stately", "/state"].map(line).join("\n");
    deepEqual(mountsBelow("/state", info), ["/state/a/b c", "/state/a"]);
  });

  it("rejects a port that another program uses, and names it", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.on("listening", resolve));
    const { port } = server.address() as { port: number };
    const component = { name: "apiserver", program: "", args: [], files: [], listens: [["127.0.0.1", port]] as const };
    await rejects(requireFreePorts([component]), new RegExp(`127.0.0.1:${port} \\(apiserver\\) is in use by`));
    await new Promise((resolve) => server.close(resolve));
    await requireFreePorts([component]);
  });

  it("kills a process that ignores SIGTERM, and returns when it has ended", async () => {
    using child = spawn("sh", ["-c", "trap '' TERM; echo ready; while :; do sleep 0.1; done"]);
    await new Promise((resolve) => child.stdout.once("data", resolve));
    const pid = child.pid as number;
    notEqual(startTimeOf(pid), undefined);
    await endProcesses([pid], 0.2);
    equal(startTimeOf(pid), undefined);
  });

  it("lets one holder at a time have a lock, and replaces one that has ended", async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "lock");
    writeFileSync(path, "2 0"); // No process but the kernel's started at the first tick.
    const order: string[] = [];
    const work = (name: string) => async () => {
      order.push(`${name} begins`);
      await new Promise((resolve) => setTimeout(resolve, 20));
      order.push(`${name} ends`);
    };
    await Promise.all([withLock(path, work("one")), withLock(path, work("two"))]);
    const first = order[0]?.split(" ")[0];
    equal(order[1], `${first} ends`);
    equal(order.length, 4);
    throws(() => readFileSync(path), /ENOENT/);
  });

  it("stops waiting on an error between polls, on cancellation, and after a timeout", async () => {
    const beforePoll = () => {
      throw new Error("etcd exited");
    };
    await rejects(
      waitFor("etcd", async () => false, { beforePoll }),
      /etcd exited/,
    );
    await rejects(
      waitFor("etcd", async () => false, { signal: AbortSignal.abort() }),
      { name: "CanceledError" },
    );
    await rejects(
      waitFor("the node", () => Promise.reject(new Error("refused")), { timeoutSeconds: 0.05 }),
      /timed out after 0.05s waiting for the node: refused/,
    );
  });

  it("rejects traffic between pods and other machines", () => {
    equal(isolationRules().includes('iifname "unity0" oifname != "unity0" reject'), true);
    equal(isolationRules().includes('iifname != "unity0" oifname "unity0" reject'), true);
  });

  it("formats elapsed time as kubectl does", () => {
    equal(elapsedText(7_900), "7s");
    equal(elapsedText(125_000), "2m5s");
  });
});
