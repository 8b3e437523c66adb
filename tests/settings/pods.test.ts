import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { projectRoot } from "../../src/paths.ts";
import { readSettingsSchema, settingDefaults } from "../../src/settings/declarations.ts";
import { loadSettings } from "../../src/settings/load-settings.ts";
import { parsePods } from "../../src/settings/pods.ts";

/** Returns a value as JSON, without properties that are undefined. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

function podsOf(value: unknown) {
  const { pods, errors } = parsePods(value, "restricted");
  assert.deepEqual(errors, []);
  return plain(pods);
}

describe("the setting pods", () => {
  it("changes no pod if it is not set", () => {
    assert.deepEqual(podsOf(undefined), { backend: {}, gate: {}, migration: {} });
    assert.deepEqual(podsOf({}), { backend: {}, gate: {}, migration: {} });
  });

  it("merges what is common into each pod, and places PostgreSQL by it", () => {
    const common = {
      env: [{ name: "A", value: "common" }],
      resources: { limits: { memory: "1Gi" } },
      tolerations: [{ key: "pool", operator: "Exists" }],
    };
    const configured = {
      common,
      backend: { env: [{ name: "A", value: "backend" }] },
      gate: { env: [{ name: "G", value: "g" }] },
    };
    assert.deepEqual(podsOf(configured), {
      backend: { ...common, env: [{ name: "A", value: "backend" }] },
      gate: { resources: common.resources, env: [{ name: "G", value: "g" }] },
      migration: common,
      database: { tolerations: common.tolerations },
    });
  });

  it("takes numbers and booleans as text, because Pulumi stores some text so", () => {
    const common = { env: [{ name: "PORT", value: 80 }], nodeSelector: { batch: true }, annotations: { port: 1 } };
    assert.deepEqual(podsOf({ migration: common }), {
      backend: {},
      gate: {},
      migration: { env: [{ name: "PORT", value: "80" }], nodeSelector: { batch: "true" }, annotations: { port: "1" } },
    });
  });

  it("knows the volumes that another part of the setting configures for the same pod", () => {
    const volumeMounts = [{ name: "v", mountPath: "/v" }];
    const volumes = [{ name: "v", emptyDir: {} }];
    const paths = (value: unknown) => parsePods(value, "restricted").errors.map(({ path }) => path);
    assert.deepEqual(paths({ common: { volumes }, migration: { volumeMounts } }), []);
    assert.deepEqual(paths({ backend: { volumes }, gate: { volumeMounts } }), []);
    assert.deepEqual(paths({ backend: { volumes }, migration: { volumes }, common: { volumeMounts } }), []);
    assert.deepEqual(paths({ backend: { volumes }, migration: { volumeMounts } }), [
      "pods.migration.volumeMounts[0].name",
    ]);
    assert.deepEqual(paths({ backend: { volumes }, common: { volumeMounts } }), ["pods.common.volumeMounts[0].name"]);
  });
});

describe("errors of the setting pods", () => {
  const schema = readSettingsSchema(projectRoot);
  const required = {
    "unity:context": "kind-kind",
    "unity:image": "registry.example/unity-backend:1.0",
    "unity:databasePassword": "secret",
  };
  function errors(pods: unknown, settings: Record<string, string> = {}, ...encrypted: readonly string[]): string {
    const secrets = [...Object.keys(required).filter((key) => schema[key]?.secret), ...encrypted];
    const value = { ...settingDefaults(schema), ...required, "unity:pods": JSON.stringify(pods), ...settings };
    pulumi.runtime.setAllConfig(value, secrets);
    try {
      loadSettings("unity/dev");
    } catch (error) {
      assert.ok(pulumi.RunError.isInstance(error));
      return error.message;
    }
    return assert.fail("no error");
  }

  const rejected: readonly [what: string, value: unknown, message: RegExp][] = [
    [
      "other pods",
      { backends: {} },
      /unknown property unity:pods\.backends; did you mean backend\? Allowed: common, backend, gate, migration\. Run: pulumi config rm --path 'pods\.backends'/,
    ],
    [
      "an unknown property",
      { common: { toleration: [] } },
      /unknown property unity:pods\.common\.toleration; did you mean tolerations\? Allowed: env, .* Run: pulumi config rm --path 'pods\.common\.toleration'/,
    ],
    [
      "a property of every object",
      { common: { constructor: [] } },
      /unknown property unity:pods\.common\.constructor;/,
    ],
    [
      "an unknown property of a toleration",
      { common: { tolerations: [{ efect: "NoSchedule" }] } },
      /unknown property unity:pods\.common\.tolerations\[0\]\.efect; did you mean effect\? Allowed: key, /,
    ],
    [
      "a variable without a name",
      { backend: { env: [{ value: "hunter2" }] } },
      /unity:pods\.backend\.env\[0\]\.name is not set: must be a text\. Run: pulumi config set --path 'pods\.backend\.env\[0\]\.name' '<name>'/,
    ],
    [
      "variables that are a map",
      { backend: { env: { A: "hunter2" } } },
      /unity:pods\.backend\.env "an object": must be a list/,
    ],
    [
      "the project's own variable",
      { migration: { env: [{ name: "DATABASE_URL", value: "hunter2" }] } },
      /invalid unity:pods\.migration\.env\[0\]\.name "DATABASE_URL": must be a name other than this project's own: DATABASE_URL, .*config set --path 'pods\.migration\.env\[0\]\.name' '<name>'/,
    ],
    [
      "a command of the Job",
      { migration: { command: ["sh"] } },
      /invalid unity:pods\.migration\.command \["sh"\]: must be left out: .*Run: pulumi config rm --path 'pods\.migration\.command'/,
    ],
    [
      "a property that the gate, a container, doesn't have",
      { gate: { nodeSelector: { a: "b" } } },
      /unknown property unity:pods\.gate\.nodeSelector; .* Allowed: env, envFrom, resources, securityContext, volumeMounts\. Run:/,
    ],
    [
      "a privileged sidecar",
      { common: { initContainers: [{ name: "s", image: "i", securityContext: { privileged: true } }] } },
      /invalid unity:pods\.common\.initContainers\[0\]\.securityContext\.privileged true: must be false under the restricted Pod Security Standard, which podSecurityStandard can waive/,
    ],
    [
      "a user that is text",
      { common: { userId: "root" } },
      /invalid unity:pods\.common\.userId "root": must be a user ID, or "none"/,
    ],
    [
      "annotations of an account that another part names",
      { common: { serviceAccountName: "shop" }, backend: { serviceAccountAnnotations: { a: "b" } } },
      /invalid unity:pods\.backend\.serviceAccountAnnotations .* must be left out with serviceAccountName of pods\.common: /,
    ],
    [
      "an account that another part annotates",
      { common: { serviceAccountAnnotations: { a: "b" } }, migration: { serviceAccountName: "shop" } },
      /invalid unity:pods\.migration\.serviceAccountName "shop": must be left out with serviceAccountAnnotations of pods\.common: /,
    ],
    [
      "a variable that is set twice",
      { common: { env: [{ name: "A" }, { name: "A" }] } },
      /invalid unity:pods\.common\.env\[1\]\.name "A": must be unique: env\[0\] has the same/,
    ],
    ["text", "all", /invalid unity:pods "all": must be an object with common, backend, gate, migration/],
  ];
  for (const [what, value, message] of rejected) {
    it(`reject ${what}, with the fix`, () => {
      const error = errors(value);
      assert.match(error, message);
      assert.ok(!error.includes("hunter2"));
    });
  }

  it("reject an encrypted value without repeating it", () => {
    const error = errors({ common: { env: [{ name: "KEY", value: "hunter2" }] } }, {}, "unity:pods");
    assert.match(
      error,
      /unity:pods contains an encrypted value, but pod specs show their values: .*valueFrom\.secretKeyRef/,
    );
    assert.ok(!error.includes("hunter2"));
  });

  it("reject a level that Kubernetes doesn't have", () => {
    assert.match(
      errors({}, { "unity:podSecurityStandard": "none" }),
      /invalid unity:podSecurityStandard "none": must be one of restricted, baseline, privileged/,
    );
  });
});
