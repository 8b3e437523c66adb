import assert from "node:assert/strict";
import { command, http, type Json, sql } from "../../src/checks/custom.ts";
import { evaluateCommand, evaluateHttp, evaluateSql, valueAt } from "../../src/checks/evaluate-custom.ts";
import type { CheckFinding } from "../../src/checks/result.ts";

const response = (body: string, status = 200, isCut = false) => ({ status, body, isCut });
const at = (pointer: string, value: Json, body: string, isCut = false) =>
  evaluateHttp(http("/", { json: { pointer, value } }), response(body, 200, isCut));
const rows = (expected: readonly { readonly [column: string]: Json }[], ...found: unknown[]) =>
  evaluateSql(sql("SELECT 1", expected), found);
const ended = (options: Parameters<typeof command>[1], exitCode: number, stdout = "", stderr = "") =>
  evaluateCommand(command(["a"], options), { exitCode, stdout, stderr });

const cases: readonly [what: string, CheckFinding, passed: boolean, expected: string, found: string][] = [
  ["a status", evaluateHttp(http("/"), response("ok")), true, "HTTP 200", "HTTP 200"],
  ["an expected error", evaluateHttp(http("/", { status: 404 }), response("", 404)), true, "HTTP 404", "HTTP 404"],
  ["another status", evaluateHttp(http("/"), response("down\n", 503)), false, "HTTP 200", "HTTP 503: down"],
  ["a status alone", evaluateHttp(http("/"), response("", 302)), false, "HTTP 200", "HTTP 302: empty body"],
  [
    "a password in a body",
    evaluateHttp(http("/"), response("postgresql://u:hunter2@h/d", 500)),
    false,
    "HTTP 200",
    "HTTP 500: postgresql://u:[secret]@h/d",
  ],
  ["a value", at("/a/1", "x", '{"a":[0,"x"]}'), true, 'HTTP 200, /a/1 is "x"', 'HTTP 200, /a/1 is "x"'],
  [
    "keys in another order",
    at("", { a: 1, b: 2 }, '{"b":2,"a":1.0}'),
    true,
    'HTTP 200, the body is {"a":1,"b":2}',
    'HTTP 200, the body is {"b":2,"a":1}',
  ],
  ["another value", at("/a", 1, '{"a":"1"}'), false, "HTTP 200, /a is 1", 'HTTP 200, /a is "1"'],
  ["more than the value", at("/a", {}, '{"a":{"b":1}}'), false, "HTTP 200, /a is {}", 'HTTP 200, /a is {"b":1}'],
  ["no value", at("/b", null, '{"a":1}'), false, "HTTP 200, /b is null", 'HTTP 200, nothing at /b: {"a":1}'],
  ["no JSON", at("", 1, "<p>"), false, "HTTP 200, the body is 1", "HTTP 200, a body that is not JSON: <p>"],
  ["a long body", at("", 1, "1", true), false, "HTTP 200, the body is 1", "HTTP 200, a body of more than 1 MiB"],
  ["rows", rows([{ a: 1 }, { a: null }], { a: 1 }, { a: null }), true, '[{"a":1},{"a":null}]', '[{"a":1},{"a":null}]'],
  ["no rows", rows([]), true, "[]", "[]"],
  [
    "rows in another order",
    rows([{ a: 1 }, { a: 2 }], { a: 2 }, { a: 1 }),
    false,
    '[{"a":1},{"a":2}]',
    '[{"a":2},{"a":1}]',
  ],
  ["a missing row", rows([{ a: 1 }]), false, '[{"a":1}]', "[]"],
  ["a row too many", rows([{ a: 1 }], { a: 1 }, { a: 2 }), false, '[{"a":1}]', 'more than 1 rows: [{"a":1},{"a":2}]'],
  ["a column too many", rows([{ a: 1 }], { a: 1, b: 2 }), false, '[{"a":1}]', '[{"a":1,"b":2}]'],
  ["success", ended({}, 0, "any"), true, "exit code 0", "exit code 0"],
  ["an expected failure", ended({ exitCode: 3 }, 3), true, "exit code 3", "exit code 3"],
  ["a failure", ended({}, 2, "out", "no\nway\n"), false, "exit code 0", "exit code 2: no way"],
  ["a silent failure", ended({}, 1), false, "exit code 0", "exit code 1: no output"],
  [
    "output",
    ended({ stdout: "a\nb\n" }, 0, "\n a\nb "),
    true,
    'exit code 0, output "a\\nb"',
    'exit code 0, output "a\\nb"',
  ],
  ["other output", ended({ stdout: "a" }, 0, "A"), false, 'exit code 0, output "a"', 'exit code 0, output "A"'],
];

describe("the evaluation of custom checks", () => {
  for (const [what, finding, passed, expected, found] of cases)
    it(`${passed ? "accepts" : "rejects"} ${what}`, () => assert.deepEqual(finding, { passed, expected, found }));

  it("resolves the JSON pointers of RFC 6901", () => {
    const document = { foo: ["bar", "baz"], "": 0, "a/b": 1, "m~n": 8, " ": 7, "~1": 9, nested: { "0": null } };
    const pointers: readonly [pointer: string, value: unknown][] = [
      ["", document],
      ["/foo", ["bar", "baz"]],
      ["/foo/0", "bar"],
      ["/", 0],
      ["/a~1b", 1],
      ["/m~0n", 8],
      ["/ ", 7],
      ["/~01", 9],
      ["/nested/0", null],
      ["/nested/0/x", undefined],
      ["/foo/2", undefined],
      ["/foo/00", undefined],
      ["/foo/-", undefined],
      ["/foo/length", undefined],
      ["/toString", undefined],
    ];
    for (const [pointer, value] of pointers) assert.deepEqual(valueAt(document, pointer), value, pointer);
  });
});
