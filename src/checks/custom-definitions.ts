import { defaultContainer, type Pod } from "../cluster/objects.ts";
import { quote } from "../shell.ts";
import { type Check, failedFinding, firstWorkload, kubectl, psql } from "./check.ts";
import type { CommandCheck, CustomCheck, HttpCheck, SqlCheck } from "./custom.ts";
import { evaluateCommand, evaluateHttp, evaluateSql, expectation, type HttpAnswer } from "./evaluate-custom.ts";
import { runCustomInPod } from "./pod-facts.ts";
import type { Expected } from "./result.ts";

/** Returns a custom check as one that runs. */
export function customCheck(check: CustomCheck): Check {
  if (check.kind === "http") return httpCheck(check);
  return check.kind === "sql" ? sqlCheck(check) : commandCheck(check);
}

/** Default of `timeoutSeconds`: a lost DNS packet alone takes 5 s. */
export const defaultTimeoutSeconds = 30;

function httpCheck(check: HttpCheck): Check {
  const { path, timeoutSeconds: seconds = defaultTimeoutSeconds } = check;
  const title = expectation(check);
  const workloadOf = (expected: Expected) => check.workload ?? firstWorkload(expected);
  const command = (expected: Expected, port: number | undefined) =>
    kubectl(
      expected,
      `exec deployment/${workloadOf(expected)} -- python -c ${quote(requestProgram(path, port, seconds))}`,
    );
  return {
    title,
    command: (expected) => command(expected, check.port),
    async run({ kubectl: client, pod: podOf }, expected) {
      const pod = await podOf(workloadOf(expected));
      const port = check.port ?? firstPort(pod);
      const finding = await runCustomInPod(client, pod, "http_check", { path, port }, seconds).then(
        (answer) => evaluateHttp(check, answer as HttpAnswer),
        (error) => failedFinding(title, error),
      );
      return { ...finding, command: command(expected, port) };
    },
  };
}

/** Returns a Python program that prints the response to a request. */
function requestProgram(path: string, port: number | undefined, seconds: number): string {
  return [
    "from http.client import HTTPConnection",
    `c = HTTPConnection("127.0.0.1", ${port ?? "PORT"}, timeout=${seconds})`,
    `c.request("GET", ${JSON.stringify(path)})`,
    "r = c.getresponse()",
    "print(r.status, r.read().decode())",
  ].join("; ");
}

/** @throws {Error} If the pod's default container declares no port. */
function firstPort(pod: Pod): number {
  const container = defaultContainer(pod);
  const port = container?.ports?.find(({ protocol = "TCP" }) => protocol === "TCP")?.containerPort;
  if (port === undefined)
    throw new Error(`container ${container?.name} of pod ${pod.metadata.name} declares no port; set the check's port`);
  return port;
}

function sqlCheck(check: SqlCheck): Check {
  const { query, rows, timeoutSeconds: seconds = defaultTimeoutSeconds } = check;
  return {
    title: expectation(check),
    command: (expected) => psql(expected, query),
    async run({ kubectl: client, pod }, expected) {
      const input = { query, count: rows.length };
      const found = await runCustomInPod(client, await pod(firstWorkload(expected)), "sql_check", input, seconds);
      return evaluateSql(check, found as readonly unknown[]);
    },
  };
}

function commandCheck(check: CommandCheck): Check {
  const { args, workload, container, timeoutSeconds: seconds = defaultTimeoutSeconds } = check;
  return {
    title: expectation(check),
    command(expected) {
      const option = container === undefined ? "" : ` -c ${container}`;
      const target = `deployment/${workload ?? firstWorkload(expected)}${option}`;
      return kubectl(expected, `exec ${target} -- ${args.map(quote).join(" ")}`);
    },
    async run({ kubectl: client, pod: podOf }, expected) {
      const pod = await podOf(workload ?? firstWorkload(expected));
      const selected = container ?? defaultContainer(pod)?.name ?? "";
      return evaluateCommand(check, await client.execute(pod.metadata.name, selected, args, seconds));
    },
  };
}
