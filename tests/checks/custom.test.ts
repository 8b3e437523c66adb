import assert from "node:assert/strict";
import { type CustomCheck, command, http, nameChecks, sql } from "../../src/checks/custom.ts";
import { checkNames, generalChecks } from "../../src/checks/names.ts";
import { verificationErrors } from "../../src/checks/verification-errors.ts";

const untyped = (value: object) => value as never;

describe("custom checks", () => {
  it("are plain data, which JSON keeps", () => {
    const checks: readonly CustomCheck[] = [
      http("/items?limit=1", { json: { pointer: "/0/a~1b", value: { c: [null] } }, port: 8080, workload: "api" }),
      sql("SELECT id FROM plans", [{ id: 1 }, { id: null }], { name: "plans", timeoutSeconds: 2 }),
      command(["worker", "ping", ""], { exitCode: 3, stdout: "pong", container: "main" }),
    ];
    const all = [...generalChecks, ...checks];
    assert.deepEqual(verificationErrors({ workloads: ["web", "api.v1"], checks: all }), []);
    assert.deepEqual(JSON.parse(JSON.stringify(checks)), checks);
  });

  it("have derived names unless they are named", () => {
    const checks = [
      "pods" as const,
      http("/healthz"),
      http("/metrics", { port: 9090, workload: "worker" }),
      http("/", { workload: "worker" }),
      sql("SELECT 1", []),
      sql("SELECT 2", [], { name: "two" }),
      sql("SELECT 3", []),
      command(["true"]),
    ];
    assert.deepEqual(
      nameChecks(checks).map(({ name }) => name),
      ["pods", "http /healthz", "http worker:9090/metrics", "http worker/", "sql 1", "two", "sql 3", "command 1"],
    );
  });

  const invalid: readonly [what: string, make: () => unknown, message: RegExp][] = [
    [
      "a path without a slash",
      () => http("healthz"),
      /^invalid http\.path "healthz": must be a path .* starts with "\/"/,
    ],
    ["a path with a space", () => http("/a b"), /^invalid http\.path/],
    ["a path with a fragment", () => http("/a#b"), /^invalid http\.path/],
    ["a status", () => http("/", { status: 99 }), /^invalid http\.status 99: must be an integer from 100 to 599$/],
    ["a port", () => http("/", { port: 0 }), /^invalid http\.port 0: must be an integer from 1 to 65535$/],
    [
      "a JSON pointer",
      () => http("/", { json: { pointer: "a", value: 1 } }),
      /^invalid http\.json\.pointer "a": must be/,
    ],
    ["an escape in a pointer", () => http("/", { json: { pointer: "/~2", value: 1 } }), /^invalid http\.json\.pointer/],
    [
      "no value",
      () => http("/", { json: untyped({ pointer: "" }) }),
      /^http\.json\.value is missing: must be a JSON value/,
    ],
    ["a row with a date", () => sql("SELECT now()", [{ now: untyped(new Date()) }]), /^invalid sql\.rows/],
    ["a row with a map", () => sql("SELECT 1", [{ a: untyped(new Map()) }]), /^invalid sql\.rows/],
    ["rows with a gap", () => sql("SELECT 1", new Array(1)), /^invalid sql\.rows/],
    [
      "a value that JSON lacks",
      () => http("/", { json: { pointer: "", value: Number.NaN } }),
      /^invalid http\.json\.value/,
    ],
    [
      "a Deployment's name",
      () => http("/", { workload: "--all" }),
      /^invalid http\.workload "--all": must be the name/,
    ],
    ["an empty query", () => sql(" \n", []), /^invalid sql\.query " \\n": must be SQL$/],
    [
      "rows that are lists",
      () => sql("SELECT 1", untyped([[1]])),
      /^invalid sql\.rows \[\[1\]\]: must be a list of objects/,
    ],
    ["no rows", () => sql("SELECT 1", untyped(undefined as never)), /^sql\.rows is missing: must be a list of objects/],
    ["no program", () => command([]), /^invalid command\.args \[\]: must be a list of strings/],
    ["an argument", () => command(untyped(["a", 1])), /^invalid command\.args\[1\] 1: must be a string$/],
    [
      "an exit code",
      () => command(["a"], { exitCode: 256 }),
      /^invalid command\.exitCode 256: must be an integer from 0/,
    ],
    ["a container's name", () => command(["a"], { container: "a b" }), /^invalid command\.container "a b"/],
    ["a name with a line break", () => http("/", { name: "a\nb" }), /^invalid http\.name "a\\nb": must be one line/],
    ["a hidden character", () => http("/", { name: "a\u202eb" }), /^invalid http\.name/],
    [
      "a timeout",
      () => http("/", { timeoutSeconds: 601 }),
      /^invalid http\.timeoutSeconds 601: must be .* from 1 to 600$/,
    ],
    [
      "an unknown option",
      () => http("/", untyped({ statusCode: 200 })),
      /^unknown http\.statusCode: must be one of kind,/,
    ],
  ];
  for (const [what, make, message] of invalid)
    it(`reject ${what}`, () =>
      assert.throws(make, (error: Error) => message.test(error.message) || assert.fail(error)));

  it("of any language are validated with the workloads, with all errors at once", () => {
    const checks = ["pods", "pod", 7, { kind: "ftp" }, { kind: "http" }, { kind: "sql", query: "SELECT 1", rows: 1 }];
    assert.deepEqual(verificationErrors({ workloads: [], checks }), [
      "invalid workloads []: must be a non-empty list",
      `invalid checks[1] "pod": must be a custom check or one of ${checkNames.join(", ")}`,
      `invalid checks[2] 7: must be a custom check or one of ${checkNames.join(", ")}`,
      'invalid checks[3].kind "ftp": must be one of http, sql, command',
      'checks[4].path is missing: must be a path of printable ASCII characters that starts with "/", without "#"',
      "invalid checks[5].rows 1: must be a list of objects, each with a JSON value by column",
    ]);
    assert.deepEqual(verificationErrors({ workloads: ["Web"], checks: undefined }), [
      'invalid workloads[0] "Web": must be the name of an object in Kubernetes',
      "checks is missing: must be a non-empty list",
    ]);
  });

  it("have unique names, also beside the built-in ones", () => {
    const checks = ["pods", "pods", http("/a"), http("/a"), command(["a"], { name: "pods" })];
    assert.deepEqual(verificationErrors({ workloads: ["web"], checks }), [
      'duplicate check name "pods": names must be unique',
      'duplicate check name "http /a": names must be unique',
    ]);
    const named = verificationErrors({ workloads: ["web"], checks: [http("/a", { name: "revision" })] });
    assert.deepEqual(named, ['duplicate check name "revision": names must be unique']);
  });
});
