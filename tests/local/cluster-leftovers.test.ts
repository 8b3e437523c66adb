import { deepEqual, equal, match, rejects, throws } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { busyText, unlessGone } from "../../local/cluster/cgroups.ts";
import { componentNames, components } from "../../local/cluster/components.ts";
import { foreignProxies, requireNoForeignProxy } from "../../local/cluster/foreign.ts";
import { requireFreePorts } from "../../local/cluster/listeners.ts";
import { waitingText } from "../../local/cluster/lock.ts";
import { drops, ownAcceptRules } from "../../local/cluster/network.ts";
import { isStalePolicy, policyText } from "../../local/cluster/prerequisites.ts";
import { ask, run, withSystemFolders } from "../../local/cluster/run.ts";
import { temporaryFolder } from "../support/folder.ts";

/** No process: beyond the largest id that Linux gives (proc(5), pid_max). */
const noPid = 4_194_305;

describe("what the local cluster leaves, and what isn't its own", () => {
  it("looks for programs in the system's folders too, after the user's own", () => {
    equal(withSystemFolders("/bin:/usr/sbin"), "/bin:/usr/sbin:/usr/local/sbin:/sbin");
    equal(withSystemFolders(""), "/usr/local/sbin:/usr/sbin:/sbin");
    equal(withSystemFolders(process.env.PATH ?? ""), process.env.PATH);
  });

  it("tells a missing program from one that finds nothing", async () => {
    equal(await ask("false", []), "");
    await rejects(ask("unity-no-such-program", []), { name: "ProgramError", isMissing: true });
  });

  it("shows no password of a URL when a program fails", async () => {
    const script = "echo from http://user:hidden@proxy.example >&2; exit 3";
    await rejects(
      run("sh", ["-c", script, 'Acquire::http::Proxy "http://user:hidden@proxy.example:3128";']),
      (error) => {
        const { message } = error as Error;
        equal(message.includes("hidden"), false, message);
        match(message, /http:\/\/user:\[secret\]@proxy\.example:3128.*exit code 3/s);
        return true;
      },
    );
  });

  it("rejects another cluster's kube-proxy in the same network namespace", () => {
    using temporary = temporaryFolder();
    const proc = temporary.path;
    const add = (id: string, command: string, net: string) => {
      mkdirSync(join(proc, id, "ns"), { recursive: true });
      writeFileSync(join(proc, id, "cmdline"), command);
      symlinkSync(net, join(proc, id, "ns", "net"));
    };
    add("self", "node\0", "net:[1]");
    add("11", "/usr/local/bin/kube-proxy\0--config=x\0", "net:[1]");
    add("12", "/usr/local/bin/kube-proxy\0", "net:[2]"); // in a container
    add("13", "/cache/bin/kube-proxy\0", "net:[1]"); // our own
    add("14", "vi\0kube-proxy\0", "net:[1]");
    mkdirSync(join(proc, "15")); // has ended
    deepEqual(foreignProxies([13], proc), [11]);
    throws(() => requireNoForeignProxy([11]), /node of another Kubernetes \(kube-proxy, process 11\)/);
    requireNoForeignProxy([]);
  });

  it("treats a port as free that its own process holds, or whose address doesn't exist", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.on("listening", resolve));
    const { port } = server.address() as { port: number };
    const listening = (host: string) => ({
      name: "x",
      program: "",
      args: [],
      files: [],
      listens: [[host, port]] as const,
    });
    await rejects(requireFreePorts([listening("127.0.0.1")], [process.pid + 1]), /in use by/);
    await requireFreePorts([listening("127.0.0.1")], [process.pid]);
    await requireFreePorts([listening("192.0.2.1")]); // RFC 5737: nobody's
    await new Promise((resolve) => server.close(resolve));
  });

  it("opens a chain only where it drops by policy, and knows its own rules again", () => {
    equal(drops("-P INPUT DROP\n-A INPUT -j ufw-before-input\n", "INPUT"), true);
    equal(drops("-P INPUT ACCEPT\n-A INPUT -j DROP\n", "INPUT"), false);
    equal(drops("", "FORWARD"), false);
    const own = [
      "-A INPUT -i unity0 -m comment --comment unity-local -j ACCEPT",
      "-A FORWARD -i unity0 -o unity0 -m comment --comment unity-local -j ACCEPT",
    ];
    const saved = ["*filter", ":INPUT DROP [0:0]", ...own, "-A INPUT -i unity0 -j LOG", "COMMIT"];
    deepEqual(ownAcceptRules(saved.join("\n")), own);
  });

  it("takes a control group that has vanished for empty, and no other fault", () => {
    const fail = (code: string) => () => {
      throw Object.assign(new Error(code), { code });
    };
    deepEqual(unlessGone(fail("ENOENT")), []);
    deepEqual(unlessGone(fail("ENODEV")), []);
    throws(() => unlessGone(fail("EACCES")), /EACCES/);
    deepEqual(
      unlessGone(() => [1]),
      [1],
    );
  });

  it("names the way out where a container's root group can't have controllers", () => {
    match(
      busyText("/sys/fs/cgroup"),
      /xargs -rn1 < \/sys\/fs\/cgroup\/cgroup\.procs > \/sys\/fs\/cgroup\/init\/cgroup\.procs/,
    );
  });

  it("removes the service policy of its own killed installation, and nobody else's", () => {
    equal(isStalePolicy(policyText(noPid)), true);
    equal(isStalePolicy(policyText(process.pid)), false);
    equal(isStalePolicy("#!/bin/sh\nexit 101\n"), false); // an image's own
    equal(isStalePolicy(`${policyText(noPid)}# changed\n`), false);
    equal(isStalePolicy(""), false);
  });

  it("says whom it waits for", () => {
    match(
      waitingText("/state/lock", `${process.pid} 1`),
      new RegExp(`process ${process.pid} \\(.*node.*\\), which holds /state/lock`),
    );
    match(waitingText("/state/lock", `${noPid} 1`), new RegExp(`process ${noPid} \\(ended\\)`));
  });

  it("has each component under its own name", () => {
    const all = components("/bin/node");
    deepEqual(Object.keys(all), [...componentNames]);
    for (const name of componentNames) equal(all[name].name, name);
  });

  it("has nothing to stop where nothing was ever started, and takes no root for that", () => {
    const stop = JSON.stringify(join(import.meta.dirname, "../../local/cluster/stop.ts"));
    const script = `process.getuid = () => 1000; await (await import(${stop})).stopCluster();`;
    const cache = join(tmpdir(), `unity-no-such-folder-${process.pid}`);
    const result = spawnSync(process.execPath, ["--input-type=module", "--eval", script], {
      env: { ...process.env, UNITY_CACHE: cache },
      encoding: "utf8",
    });
    equal(result.status, 0, result.stderr);
    throws(() => readFileSync(cache), /ENOENT/);
  });
});
