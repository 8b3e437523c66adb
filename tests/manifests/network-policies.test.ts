import assert from "node:assert/strict";
import { labels, names } from "../../src/manifests/names.ts";
import { type DatabasePlace, databasePortError, networkPolicies } from "../../src/manifests/network-policies.ts";

/** Fields of a network policy that this project uses. */
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
/** End of a connection: the labels of a pod in the namespace, or an external address. */
type End = Labels | "external";

function selects({ matchLabels = {}, matchExpressions = [], ...others }: Selector, pod: End): boolean {
  assert.deepEqual(others, {}, "unknown fields in a selector");
  if (pod === "external") return false;
  return (
    Object.entries(matchLabels).every(([key, value]) => pod[key] === value) &&
    matchExpressions.every(({ key, operator, values }) => {
      assert.equal(operator, "In");
      return values.includes(pod[key] ?? "");
    })
  );
}

function allows({ from, to, ports, ...others }: Rule, peer: End, protocol: string, port: number): boolean {
  assert.deepEqual(others, {}, "unknown fields in a rule");
  const peers = from ?? to;
  return (
    (peers === undefined || peers.some(({ podSelector }) => selects(podSelector, peer))) &&
    (ports === undefined || ports.some((each) => each.protocol === protocol && each.port === port))
  );
}

/** Whether an end may send or receive: yes, unless a policy selects it and none allows the connection. */
function passes(specs: readonly Spec[], type: "Ingress" | "Egress", pod: End, peer: End, rule: [string, number]) {
  const selecting = specs.filter(
    ({ podSelector, policyTypes }) => policyTypes.includes(type) && selects(podSelector, pod),
  );
  const rules = selecting.flatMap(({ ingress = [], egress = [] }) => (type === "Ingress" ? ingress : egress));
  return selecting.length === 0 || rules.some((each) => allows(each, peer, ...rule));
}

const [backend, migration, restore, postgres] = [names.backend, names.migrateJob, names.restoreJob, names.postgres].map(
  (workload) => labels(workload),
) as [Labels, Labels, Labels, Labels];
const otherPod: Labels = { "app.kubernetes.io/name": "otherPod" };
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
  ["backend to PostgreSQL", owned, backend, postgres, "TCP", 5432, true],
  ["migration Job to PostgreSQL", owned, migration, postgres, "TCP", 5432, true],
  ["restore Job to PostgreSQL", owned, restore, postgres, "TCP", 5432, true],
  ["another pod to PostgreSQL", owned, otherPod, postgres, "TCP", 5432, false],
  ["external address to PostgreSQL", owned, "external", postgres, "TCP", 5432, false],
  ["backend to another port of PostgreSQL", owned, backend, postgres, "TCP", 22, false],
  ["backend to another pod", owned, backend, otherPod, "TCP", 5432, false],
  ["backend to an external address", owned, backend, "external", "TCP", 5432, false],
  ["backend to the database", external, backend, "external", "TCP", 5432, true],
  ["migration Job to the database's pooler", external, migration, "external", "TCP", 6432, true],
  ["restore Job to the database", external, restore, "external", "TCP", 5432, true],
  ["backend to another external port", external, backend, "external", "TCP", 443, false],
  ["migration Job to another external port", owned, migration, "external", "TCP", 443, false],
  ["backend to DNS", owned, backend, "external", "UDP", 53, true],
  ["migration Job to DNS over TCP", external, migration, "external", "TCP", 53, true],
  ["restore Job to DNS", owned, restore, "external", "UDP", 53, true],
  ["PostgreSQL to an external address", owned, postgres, "external", "UDP", 53, false],
  ["PostgreSQL to the backend", owned, postgres, backend, "TCP", 8000, false],
  ["external address to the backend", owned, "external", backend, "TCP", 8000, true],
  ["another pod to the backend", external, otherPod, backend, "TCP", 8000, true],
  ["external address to another port of the backend", owned, "external", backend, "TCP", 22, false],
  ["another pod to the migration Job", owned, otherPod, migration, "TCP", 8000, false],
  ["another pod to an external address", owned, otherPod, "external", "TCP", 443, true],
];

describe("networkPolicies", () => {
  for (const [what, database, from, to, protocol, port, ok] of flows) {
    it(`${ok ? "allows" : "blocks"} ${what} (${database.kind} database)`, () => {
      const specs = networkPolicies(database).map(({ spec }) => spec as Spec);
      const rule: [string, number] = [protocol, port];
      const passed = passes(specs, "Egress", from, to, rule) && passes(specs, "Ingress", to, from, rule);
      assert.equal(passed, ok);
    });
  }
  it("blocks no port of an external database whose ports are unknown", () => {
    const specs = networkPolicies({ kind: "external", ports: undefined }).map(({ spec }) => spec as Spec);
    assert.ok(passes(specs, "Egress", backend, "external", ["TCP", 9999]));
  });
  it("returns unique names", () => {
    for (const database of [owned, external]) {
      const all = networkPolicies(database).map(({ name }) => name);
      assert.equal(new Set(all).size, all.length);
    }
  });
});

describe("databasePortError", () => {
  const table: [url: string, rejected: boolean][] = [
    ["postgresql://u:p@h/d", false],
    ["postgresql://u:p@h:5432/d?sslmode=require", false],
    ["postgresql+psycopg://u:p%40@[::1]:6432/d", true],
    ["postgres://h:6432/d", true],
    ["postgresql://u:p@/d?host=h&port=6432", true],
    ["postgresql://u:p@h:6432/d?port=5432", false],
    ["postgresql://u:p@/d?host=a,b&port=5432,6432", false],
    ["no url", false],
  ];
  for (const [url, rejected] of table) {
    it(`${rejected ? "rejects" : "accepts"} ${url}`, () => {
      const found = databasePortError("databaseUrl", url, [5432]);
      assert.equal(found !== undefined, rejected);
      if (found !== undefined)
        assert.match(found, /^invalid unity:databaseUrl: .*port 6432; .*pulumi config set databasePorts 5432,6432$/);
    });
  }
  it("reports nothing of a URL but its port", () => {
    assert.doesNotMatch(
      databasePortError("databaseUrl", "postgresql://user:hunter2@host:1/name", [2]) ?? "",
      /user|hunter2|host|name/,
    );
  });
  it("accepts any port without network policies", () => {
    assert.equal(databasePortError("databaseUrl", "postgresql://h:1/d", undefined), undefined);
  });
});
