import assert from "node:assert/strict";
import { labels, names } from "../../src/manifests/names.ts";
import { type DatabasePlace, databasePortError, networkPolicies } from "../../src/manifests/network-policies.ts";

/** The parts of a policy that this project uses, as Kubernetes has them. */
interface Spec {
  readonly podSelector: Selector;
  readonly policyTypes: readonly ("Ingress" | "Egress")[];
  readonly ingress?: readonly Rule[];
  readonly egress?: readonly Rule[];
}
interface Rule {
  readonly from?: readonly { readonly podSelector: Selector }[];
  readonly to?: readonly { readonly podSelector: Selector }[];
  readonly ports?: readonly { readonly protocol: string; readonly port: number }[];
}
interface Selector {
  readonly matchLabels?: Record<string, string>;
  readonly matchExpressions?: readonly { readonly key: string; readonly operator: string; readonly values: string[] }[];
}
type Labels = Readonly<Record<string, string>>;
/** One end of a connection: a pod of the namespace by its labels, or an address elsewhere. */
type End = Labels | "elsewhere";

function selects({ matchLabels = {}, matchExpressions = [], ...others }: Selector, pod: End): boolean {
  assert.deepEqual(others, {}, "a selector with parts that are not known here");
  if (pod === "elsewhere") return false;
  return (
    Object.entries(matchLabels).every(([key, value]) => pod[key] === value) &&
    matchExpressions.every(({ key, operator, values }) => {
      assert.equal(operator, "In");
      return values.includes(pod[key] ?? "");
    })
  );
}

function allows({ from, to, ports, ...others }: Rule, peer: End, protocol: string, port: number): boolean {
  assert.deepEqual(others, {}, "a rule with parts that are not known here");
  const peers = from ?? to;
  return (
    (peers === undefined || peers.some(({ podSelector }) => selects(podSelector, peer))) &&
    (ports === undefined || ports.some((each) => each.protocol === protocol && each.port === port))
  );
}

/** Whether one end may send, or the other receive: yes, unless a policy binds it and none allows the connection. */
function passes(specs: readonly Spec[], type: "Ingress" | "Egress", pod: End, peer: End, rule: [string, number]) {
  const binding = specs.filter(
    ({ podSelector, policyTypes }) => policyTypes.includes(type) && selects(podSelector, pod),
  );
  const rules = binding.flatMap(({ ingress = [], egress = [] }) => (type === "Ingress" ? ingress : egress));
  return binding.length === 0 || rules.some((each) => allows(each, peer, ...rule));
}

const [backend, migration, restore, postgres] = [names.backend, names.migrateJob, names.restoreJob, names.postgres].map(
  (workload) => labels(workload),
) as [Labels, Labels, Labels, Labels];
const stranger: Labels = { "app.kubernetes.io/name": "stranger" };
const [owned, external]: [DatabasePlace, DatabasePlace] = [
  { kind: "owned" },
  { kind: "external", ports: [5432, 6432] },
];

const flows: [
  what: string,
  database: DatabasePlace,
  from: End,
  to: End,
  protocol: string,
  port: number,
  ok: boolean,
][] = [
  ["the backend asks PostgreSQL", owned, backend, postgres, "TCP", 5432, true],
  ["the migrate Job asks PostgreSQL", owned, migration, postgres, "TCP", 5432, true],
  ["a restore asks PostgreSQL", owned, restore, postgres, "TCP", 5432, true],
  ["a stranger asks PostgreSQL", owned, stranger, postgres, "TCP", 5432, false],
  ["somebody elsewhere asks PostgreSQL", owned, "elsewhere", postgres, "TCP", 5432, false],
  ["the backend asks PostgreSQL at another port", owned, backend, postgres, "TCP", 22, false],
  ["the backend asks a stranger at PostgreSQL's port", owned, backend, stranger, "TCP", 5432, false],
  ["the backend asks elsewhere at PostgreSQL's port", owned, backend, "elsewhere", "TCP", 5432, false],
  ["the backend asks an external database", external, backend, "elsewhere", "TCP", 5432, true],
  ["the migrate Job asks an external database's pooler", external, migration, "elsewhere", "TCP", 6432, true],
  ["a restore asks an external database", external, restore, "elsewhere", "TCP", 5432, true],
  ["the backend asks elsewhere at another port", external, backend, "elsewhere", "TCP", 443, false],
  ["the migrate Job asks elsewhere at another port", owned, migration, "elsewhere", "TCP", 443, false],
  ["the backend asks DNS", owned, backend, "elsewhere", "UDP", 53, true],
  ["the migrate Job asks DNS by TCP", external, migration, "elsewhere", "TCP", 53, true],
  ["a restore asks DNS", owned, restore, "elsewhere", "UDP", 53, true],
  ["PostgreSQL asks anybody", owned, postgres, "elsewhere", "UDP", 53, false],
  ["PostgreSQL asks the backend", owned, postgres, backend, "TCP", 8000, false],
  ["somebody elsewhere asks the backend", owned, "elsewhere", backend, "TCP", 8000, true],
  ["a stranger asks the backend", external, stranger, backend, "TCP", 8000, true],
  ["somebody asks the backend at another port", owned, "elsewhere", backend, "TCP", 22, false],
  ["somebody asks the migrate Job", owned, stranger, migration, "TCP", 8000, false],
  ["a stranger asks elsewhere", owned, stranger, "elsewhere", "TCP", 443, true],
];

describe("networkPolicies", () => {
  for (const [what, database, from, to, protocol, port, ok] of flows) {
    it(`${ok ? "let" : "stop"}: ${what} (${database.kind})`, () => {
      const specs = networkPolicies(database).map(({ spec }) => spec as Spec);
      const rule: [string, number] = [protocol, port];
      const passed = passes(specs, "Egress", from, to, rule) && passes(specs, "Ingress", to, from, rule);
      assert.equal(passed, ok);
    });
  }
  it("close no port of an external database that is not known", () => {
    const specs = networkPolicies({ kind: "external", ports: undefined }).map(({ spec }) => spec as Spec);
    assert.ok(passes(specs, "Egress", backend, "elsewhere", ["TCP", 9999]));
  });
  it("have names of their own", () => {
    for (const database of [owned, external]) {
      const all = networkPolicies(database).map(({ name }) => name);
      assert.equal(new Set(all).size, all.length);
    }
  });
});

describe("databasePortFault", () => {
  const table: [url: string, fault: boolean][] = [
    ["postgresql://u:p@h/d", false],
    ["postgresql://u:p@h:5432/d?sslmode=require", false],
    ["postgresql+psycopg://u:p%40@[::1]:6432/d", true],
    ["postgres://h:6432/d", true],
    ["postgresql://u:p@/d?host=h&port=6432", true],
    ["postgresql://u:p@h:6432/d?port=5432", false],
    ["postgresql://u:p@/d?host=a,b&port=5432,6432", false],
    ["no url", false],
  ];
  for (const [url, error] of table) {
    it(`${error ? "refuses" : "accepts"} ${url}`, () => {
      const found = databasePortError("databaseUrl", url, [5432]);
      assert.equal(found !== undefined, error);
      if (found !== undefined)
        assert.match(found, /databaseUrl leads to port 6432, .*pulumi config set databasePorts 5432,6432$/);
    });
  }
  it("tells nothing of a URL but its port", () => {
    assert.doesNotMatch(
      databasePortError("databaseUrl", "postgresql://user:hunter2@host:1/name", [2]) ?? "",
      /user|hunter2|host|name/,
    );
  });
  it("accepts any port where none is closed", () => {
    assert.equal(databasePortError("databaseUrl", "postgresql://h:1/d", undefined), undefined);
  });
});
