import { deepEqual, equal, match, rejects, throws } from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { busyText, emptyIfVanished } from "../../local/cluster/cgroups.ts";
import { componentNames, components } from "../../local/cluster/components.ts";
import { otherKubeProxies, requireFreePorts, requireNoOtherKubeProxy } from "../../local/cluster/conflicts.ts";
import { waitingText } from "../../local/cluster/lock.ts";
import { clusterAcceptRules, dropsByDefault } from "../../local/cluster/network.ts";
import { isStalePolicy, policyText } from "../../local/cluster/prerequisites.ts";
import { startTimeOf } from "../../local/cluster/processes.ts";
import { waitFor } from "../../local/cluster/progress.ts";
import { outputOf, run, runTogether, withSystemFolders } from "../../local/cluster/run.ts";
import { temporaryFolder } from "../support/folder.ts";

/** Beyond the largest process id of Linux (proc(5), pid_max). */
const noPid = 4_194_305;

describe("local cluster and other programs", () => {
  it("appends the system folders to PATH", () => {
    equal(withSystemFolders("/bin:/usr/sbin"), "/bin:/usr/sbin:/usr/local/sbin:/sbin");
    equal(withSystemFolders(""), "/usr/local/sbin:/usr/sbin:/sbin");
    equal(withSystemFolders(process.env.PATH ?? ""), process.env.PATH);
  });

  it("distinguishes a missing program from one that finds nothing", async () => {
    equal(await outputOf("false", []), "");
    await rejects(outputOf("unity-no-such-program", []), { name: "ProgramError", isMissing: true });
  });

  it("cancels a command together with the programs that it started", async () => {
    const controller = new AbortController();
    const pids: number[] = [];
    const onLine = (line: string) => {
      pids.push(Number(line));
      controller.abort();
    };
    const script = "sleep 60 & echo $!; wait";
    await rejects(run("sh", ["-c", script], { onLine, signal: controller.signal }), { name: "CanceledError" });
    const [pid = 0] = pids;
    await waitFor(`process ${pid} to end`, async () => startTimeOf(pid) === undefined, { timeoutSeconds: 5 });
  });

  it("ends tasks beside one that fails, and reports that failure", async () => {
    const outcomes: string[] = [];
    const slow = async (signal: AbortSignal) => {
      await run("sleep", ["60"], { signal }).catch((error: Error) => {
        outcomes.push(error.name);
        throw error;
      });
    };
    await rejects(
      runTogether(slow, () => run("false", [])),
      { name: "ProgramError", message: /^false: exit code 1/ },
    );
    deepEqual(outcomes, ["CanceledError"]);
  });

  for (const [signal, exitCode] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)
    it(`ends its programs and cleans up on ${signal}`, async () => {
      const module = JSON.stringify(join(import.meta.dirname, "../../local/cluster/run.ts"));
      const script = `
        const { run } = await import(${module});
        const onLine = (line) => console.log(line);
        const cleanUp = () => console.log("cleaned up");
        await run("sh", ["-c", "sleep 60 & echo $!; wait"], { onLine }).finally(cleanUp).catch(() => {});`;
      const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      let output = "";
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        output += text;
        if (/^\d+\n$/.test(output)) child.kill(signal);
      });
      const [code] = await once(child, "close");
      const [pid, text] = output.split("\n");
      deepEqual([code, text], [exitCode, "cleaned up"]);
      await waitFor(`process ${pid} to end`, async () => startTimeOf(Number(pid)) === undefined, { timeoutSeconds: 5 });
    });

  it("redacts passwords of URLs when a program fails", async () => {
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

  it("does not start beside another cluster's kube-proxy in this network namespace", () => {
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
    add("13", "/cache/bin/kube-proxy\0", "net:[1]"); // this cluster's
    add("14", "vi\0kube-proxy\0", "net:[1]");
    mkdirSync(join(proc, "15")); // ended
    deepEqual(otherKubeProxies([13], proc), [11]);
    throws(() => requireNoOtherKubeProxy([11]), /node of another Kubernetes cluster \(kube-proxy, process 11\)/);
    requireNoOtherKubeProxy([]);
  });

  it("accepts a port of its own process, and one of an address that does not exist yet", async () => {
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
    await requireFreePorts([listening("192.0.2.1")]); // RFC 5737: reserved
    await new Promise((resolve) => server.close(resolve));
  });

  it("accepts packets only in chains that drop by default, and finds its rules again", () => {
    equal(dropsByDefault("-P INPUT DROP\n-A INPUT -j ufw-before-input\n", "INPUT"), true);
    equal(dropsByDefault("-P INPUT ACCEPT\n-A INPUT -j DROP\n", "INPUT"), false);
    equal(dropsByDefault("", "FORWARD"), false);
    const own = [
      "-A INPUT -i unity0 -m comment --comment unity-local -j ACCEPT",
      "-A FORWARD -i unity0 -o unity0 -m comment --comment unity-local -j ACCEPT",
    ];
    const saved = ["*filter", ":INPUT DROP [0:0]", ...own, "-A INPUT -i unity0 -j LOG", "COMMIT"];
    deepEqual(clusterAcceptRules(saved.join("\n")), own);
  });

  it("treats a vanished control group as empty, and reports other errors", () => {
    const fail = (code: string) => () => {
      throw Object.assign(new Error(code), { code });
    };
    deepEqual(emptyIfVanished(fail("ENOENT")), []);
    deepEqual(emptyIfVanished(fail("ENODEV")), []);
    throws(() => emptyIfVanished(fail("EACCES")), /EACCES/);
    deepEqual(
      emptyIfVanished(() => [1]),
      [1],
    );
  });

  it("prints the commands that move processes out of a container's root group", () => {
    match(
      busyText("/sys/fs/cgroup"),
      /xargs -rn1 < \/sys\/fs\/cgroup\/cgroup\.procs > \/sys\/fs\/cgroup\/init\/cgroup\.procs/,
    );
  });

  it("removes only the service policy of its own killed installation", () => {
    equal(isStalePolicy(policyText(noPid)), true);
    equal(isStalePolicy(policyText(process.pid)), false);
    equal(isStalePolicy("#!/bin/sh\nexit 101\n"), false); // an image's own
    equal(isStalePolicy(`${policyText(noPid)}# changed\n`), false);
    equal(isStalePolicy(""), false);
  });

  it("prints the holder of a lock", () => {
    match(
      waitingText("/state/lock", `${process.pid} 1`),
      new RegExp(`lock /state/lock, held by process ${process.pid} \\(.*node.*\\)`),
    );
    match(waitingText("/state/lock", `${noPid} 1`), new RegExp(`process ${noPid} \\(exited\\)`));
  });

  it("lists each component under its name", () => {
    const all = components("/bin/node");
    deepEqual(Object.keys(all), [...componentNames]);
    for (const name of componentNames) equal(all[name].name, name);
  });

  it("stops without root if it was never started", () => {
    const stop = JSON.stringify(join(import.meta.dirname, "../../local/cluster/stop.ts"));
    const script = `process.getuid = () => 1000; await (await import(${stop})).stopCluster();`;
    const cache = join(tmpdir(), `unity-no-such-folder-${process.pid}`);
    const result = spawnSync(process.execPath, ["--input-type=module", "--eval", script], {
      env: { ...process.env, PULUMI_ALEMBIC_CACHE: cache },
      encoding: "utf8",
    });
    equal(result.status, 0, result.stderr);
    throws(() => readFileSync(cache), /ENOENT/);
  });
});
