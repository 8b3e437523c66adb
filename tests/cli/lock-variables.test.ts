import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pythonEnvironment } from "../../src/cli/python-environment.ts";
import type { Lock, LockedSql } from "../../src/lockfile/lock.ts";
import { ChainProject, env, type RevisionSource } from "../fixtures/chains/project.ts";
import { type CommandResult, unityIn } from "./unity.ts";

describe("pulumi-alembic lock with environment variables", () => {
  let python: string;
  let project: ChainProject | undefined;
  before(async function () {
    this.timeout("300s");
    const requirements = join(import.meta.dirname, "layouts-requirements.txt");
    python = await pythonEnvironment({ requirements, report: (line) => process.stderr.write(`${line}\n`) });
  });
  afterEach(() => project?.delete());

  /** Locks a chain whose env.py imports these settings. */
  function lock(
    settings: readonly string[],
    upgrade: readonly string[],
    variables: Readonly<Record<string, string>> = {},
    files: Readonly<Record<string, string>> = {},
  ): Promise<CommandResult> {
    const revision: RevisionSource = { id: "one", upgrade };
    project = new ChainProject([revision]);
    project.write("shop_settings.py", settings.join("\n"));
    project.write("alembic/env.py", `import sys\n\nsys.path.insert(0, ".")\nimport shop_settings\n${env}`);
    for (const [file, text] of Object.entries(files)) project.write(file, text);
    const url = "postgresql+psycopg://a:b@localhost/c";
    return unityIn({ DATABASE_URL: url, ...variables }, "lock", "--backend", project.folder, "--python", python);
  }

  /** Returns the upgrade that is locked with these variables; long values must not be in the lockfile or the output. */
  async function locked(
    settings: readonly string[],
    upgrade: readonly string[],
    variables: Readonly<Record<string, string>>,
    files: Readonly<Record<string, string>> = {},
  ): Promise<LockedSql | undefined> {
    const { code, stdout, stderr } = await lock(settings, upgrade, variables, files);
    assert.equal(code, 0, `${stdout}${stderr}`);
    const text = readFileSync(project?.lock ?? "", "utf8");
    for (const value of Object.values(variables).filter(({ length }) => length > 4))
      assert.ok(!`${text}${stdout}${stderr}`.includes(value), text);
    return (JSON.parse(text) as Lock).revisions[0]?.upgrade;
  }

  it("names all that are missing, with the first error, and no values of others", async () => {
    const settings = [
      "import os",
      "from environs import Env",
      "from pydantic import Field, SecretStr",
      "from pydantic_settings import BaseSettings",
      "class Settings(BaseSettings):",
      "    database_url: str",
      "    signing_key: SecretStr",
      "    mail_from: str",
      "    mail_to: str = Field(validation_alias='RECIPIENT')",
      "class Other(BaseSettings):",
      "    model_config = {'env_prefix': 'SHOP_'}",
      "    region: str",
      "Settings(), Other()",
      "port = int(os.environ['PORT_OF_SHOP'])",
      "if 'ONLY_ASKED' not in os.environ: os.getenv('OPTIONAL')",
      "Env().str('LAST')",
    ];
    const { code, stderr } = await lock(settings, ["pass"], { SIGNING_KEY: "hunter2" });
    assert.equal(code, 2);
    const lines = [
      "missing environment variables: MAIL_FROM, RECIPIENT, SHOP_REGION, PORT_OF_SHOP, LAST",
      "ValidationError: 2 validation errors",
      "  mail_from: Field required",
      "  RECIPIENT: Field required",
      "Set them for this command to any values that the project accepts; they are not recorded.",
    ];
    assert.ok(stderr.includes(lines.join("\n")), stderr);
    assert.doesNotMatch(stderr, /hunter2/);
  });

  /** Imports a module that burns CPU time and notes each import. */
  const slow = {
    "shop_app.py": [
      "import os, time",
      "with open('imports.log', 'a') as log: log.write(f'{os.getpid()}\\n')",
      "end = time.process_time() + 0.2",
      "while time.process_time() < end: pass",
    ].join("\n"),
  };
  const countImports = () => readFileSync(join(project?.folder ?? "", "imports.log"), "utf8").split("\n").length - 1;

  it("imports the application few times, however many are missing", async () => {
    const names = ["A_KEY", "B_KEY", "C_KEY", "D_KEY", "E_KEY", "F_KEY"];
    const setting = ["import os, shop_app", ...names.map((name) => `os.environ['${name}']`)];
    const { stderr } = await lock(setting, ["pass"], {}, slow);
    assert.match(stderr, /missing environment variables: A_KEY, B_KEY, C_KEY, D_KEY, E_KEY, F_KEY\nKeyError: 'A_KEY'/);
    assert.ok(countImports() <= 4, `${countImports()} imports`);
  });

  it("imports the application only to render it if it reads none", async () => {
    const { code, stderr } = await lock(["import shop_app"], ["pass"], {}, slow);
    assert.equal(code, 0, stderr);
    assert.equal(countImports(), 2);
  });

  it("shows an error of another cause as it is", async () => {
    const { stderr } = await lock(["import os", "os.getenv('OPTIONAL')", "raise RuntimeError('one\\ntwo')"], ["pass"]);
    assert.match(stderr, /RuntimeError: one\ntwo\n/);
    assert.doesNotMatch(stderr, /missing environment/);
  });

  it("shows an error after a program that was found on PATH", async () => {
    const settings = [
      "import os, subprocess",
      "subprocess.run(['true'])",
      "os.getenv('OTHER')",
      "raise ValueError('no')",
    ];
    const { code, stderr } = await lock(settings, []);
    assert.equal(code, 2);
    assert.match(stderr, /: ValueError: no\n/);
  });

  it("shows an error of pydantic without settings", async () => {
    const settings = ["import pydantic", "class Cart(pydantic.BaseModel):", "    size: int", "Cart()"];
    const { stderr } = await lock(settings, ["pass"]);
    assert.match(stderr, /ValidationError: 1 validation error\n {2}size: Field required\nTo reproduce/);
  });

  const secret = "s3cret-of-the-role";
  const settings = ["import os", "password = os.environ['ROLE_PASSWORD']"];
  const use = ["import shop_settings"];
  const unknown: readonly (readonly [name: string, upgrade: readonly string[], reason: RegExp])[] = [
    [
      "are read by a revision",
      ["import os", "if os.environ.get('ROLE_PASSWORD'): op.execute('SELECT 1')"],
      /^RenderingLimit: reads the environment variable ROLE_PASSWORD \(line \d+\)$/,
    ],
    [
      "are a part of the SQL",
      [...use, "op.execute(f\"CREATE ROLE a PASSWORD '{shop_settings.password}'\")"],
      /^its SQL contains the value of the environment variable ROLE_PASSWORD$/,
    ],
    ["are a part of an error", [...use, "raise ValueError(shop_settings.password)"], /^ValueError: \$ROLE_PASSWORD \(/],
  ];
  const pydantic = [
    "from pydantic_settings import BaseSettings",
    "class Settings(BaseSettings):",
    "    role_password: str",
    "password = Settings().role_password",
  ];
  it("records the SQL as unknown if it contains a setting of pydantic's", async () => {
    const upgrade = [...use, "op.execute(f\"CREATE ROLE a PASSWORD '{shop_settings.password}'\")"];
    const found = await locked(pydantic, upgrade, { role_password: secret });
    assert.match(
      found?.sql === null ? found.reason : "",
      /contains the value of the environment variable role_password$/,
    );
  });

  for (const [name, upgrade, reason] of unknown) {
    it(`records the SQL as unknown if they ${name}`, async () => {
      const found = await locked(settings, upgrade, { ROLE_PASSWORD: secret });
      assert.match(found?.sql === null ? found.reason : "", reason);
    });
  }

  const parts: readonly (readonly [what: string, setting: readonly string[], value: string])[] = [
    [
      "the password of a URL",
      ["import os", "from sqlalchemy.engine import make_url", "password = make_url(os.environ['X_URL']).password"],
      "postgresql://app:p%40ss-word@host/shop",
    ],
    [
      "a part of JSON",
      ["import json, os", "password = json.loads(os.environ['X_URL'])['pw'][0]"],
      '{"pw": ["in-json-1"]}',
    ],
    ["digits", ["import os", "password = os.environ['X_URL']"], "8841276"],
    ["a part of a name", ["import os", "password = 'tenant_' + os.environ['X_URL']"], "acme-west"],
    ["a variable that is removed", ["import os", "password = os.environ.pop('X_URL')"], "removed-1"],
  ];
  for (const [what, setting, value] of parts) {
    it(`records the SQL as unknown if it contains ${what}`, async () => {
      const upgrade = [...use, "op.execute(f\"CREATE ROLE a PASSWORD '{shop_settings.password}'\")"];
      const found = await locked(setting, upgrade, { X_URL: value });
      assert.equal(
        found?.sql === null ? found.reason : "",
        "its SQL contains the value of the environment variable X_URL",
      );
    });
  }

  it("records the SQL as unknown if a revision reads one when it is loaded", async () => {
    const { stdout } = await lock([], ["pass"]);
    assert.match(stdout, /Wrote/);
    const file = "alembic/versions/one.py";
    const text = readFileSync(join(project?.folder ?? "", file), "utf8");
    project?.write(file, `import os\nSCHEMA = os.getenv("SHOP_SCHEMA", "public")\n${text}`);
    const args = ["lock", "--backend", project?.folder ?? "", "--python", python, "--check"];
    const checked = await unityIn({}, ...args);
    assert.match(checked.stdout, /not known: reads the environment variable SHOP_SCHEMA when it is loaded/);
  });

  const dotenv: readonly (readonly [how: string, setting: readonly string[]])[] = [
    [
      "pydantic",
      [
        "from pydantic_settings import BaseSettings",
        "class Settings(BaseSettings):",
        "    model_config = {'env_file': '.env'}",
        "    role_password: str",
        "password = Settings().role_password",
      ],
    ],
    ["python-dotenv", ["from dotenv import dotenv_values", "password = dotenv_values('.env')['ROLE_PASSWORD']"]],
  ];
  for (const [how, setting] of dotenv) {
    it(`records the SQL as unknown if it contains a value of .env, read by ${how}`, async () => {
      const upgrade = [...use, "op.execute(f\"CREATE ROLE a PASSWORD '{shop_settings.password}'\")"];
      const file = { ".env": `# of this machine\nexport ROLE_PASSWORD="${secret}" # secret\n` };
      const found = await locked(setting, upgrade, {}, file);
      assert.ok(!readFileSync(project?.lock ?? "", "utf8").includes(secret));
      assert.equal(
        found?.sql === null ? found.reason : "",
        "its SQL contains the value of the environment variable ROLE_PASSWORD",
      );
    });
  }

  const dependent: readonly (readonly [how: string, setting: readonly string[], given: Record<string, string>])[] = [
    ["environs and its default", ["from environs import Env", "value = Env().bool('SHOP_MODE', True)"], {}],
    [
      "pydantic and its default",
      [
        "from pydantic_settings import BaseSettings",
        "class Settings(BaseSettings):",
        "    shop_mode: bool = False",
        "    signing_key: str",
        "    size: int = 5",
        "value = Settings().shop_mode",
      ],
      { SIGNING_KEY: "k" },
    ],
    [
      "a value of a list",
      [
        "from environs import Env, validate",
        "mode = Env().str('SHOP_MODE', 'test', validate=validate.OneOf(['live', 'test']))",
        "value = mode == 'live'",
      ],
      { SHOP_MODE: "live" },
    ],
    [
      "pydantic's nested settings",
      [
        "from pydantic import BaseModel",
        "from pydantic_settings import BaseSettings",
        "class Nested(BaseModel):",
        "    mode: bool",
        "class Settings(BaseSettings):",
        "    model_config = {'env_nested_delimiter': '_'}",
        "    shop: Nested",
        "value = Settings().shop.mode",
      ],
      { SHOP_MODE: "true" },
    ],
    ["a module of the project", ["import os", "value = int(os.environ['SHOP_MODE']) > 10"], { SHOP_MODE: "11" }],
  ];
  for (const [how, setting, given] of dependent) {
    it(`records SQL as unknown that depends on a variable by ${how}`, async () => {
      const upgrade = [...use, "if shop_settings.value: op.execute('CREATE TABLE t ()')"];
      const found = await locked([...setting, "import os", "os.environ.get('UNRELATED')"], upgrade, given);
      assert.equal(found?.sql === null ? found.reason : "", "its SQL depends on the environment variable SHOP_MODE");
      const { revisions } = JSON.parse(readFileSync(project?.lock ?? "", "utf8")) as Lock;
      assert.deepEqual(revisions[0]?.downgrade, { sql: ["DROP TABLE t_one;"] });
    });
  }

  it("records SQL that depends on no variable that packages and settings read", async () => {
    const setting = [
      "import flask, locale, pathlib, subprocess, os",
      "from environs import Env",
      "locale.getlocale(), pathlib.Path.home()",
      "port = Env().int('PORT', 80)",
      "size = int(os.environ['SIZE'])",
      "if size > 12: raise ValueError('too many')",
    ];
    const found = await locked(setting, [...use, "op.execute('CREATE TABLE t ()')"], { SIZE: "010" });
    assert.deepEqual(found, { sql: ["CREATE TABLE t ();"] });
  });

  it("records SQL of env.py as unknown if its online branch depends on a variable", async () => {
    const text = env.replace(
      "        context.configure(connection",
      "        if os.getenv('SHOP_ROLE', '0') == '0': connection.exec_driver_sql('SET ROLE owner')\n$&",
    );
    const { code, stderr } = await lock([], ["pass"], {}, { "alembic/env.py": text });
    assert.equal(code, 0, stderr);
    const locked = JSON.parse(readFileSync(project?.lock ?? "", "utf8")) as Lock;
    assert.deepEqual(locked.env, { sql: null, reason: "its SQL depends on the environment variable SHOP_ROLE" });
  });

  describe("that name the version table", () => {
    const options = (expression: string) =>
      env.replace('"target_metadata"', `"version_table_schema": ${expression}, "target_metadata"`);

    for (const [how, expression, variables, files] of [
      ["directly", 'os.environ["SHOP_SCHEMA"]', { SHOP_SCHEMA: "crm" }, {}],
      ["with a prefix", '"s_" + os.environ.get("SHOP_SCHEMA", "x")', { SHOP_SCHEMA: "crm" }, {}],
      ["in .env", '__import__("dotenv").dotenv_values(".env")["SHOP_SCHEMA"]', {}, { ".env": "SHOP_SCHEMA=sales" }],
    ] as const) {
      it(`are rejected: ${how}`, async () => {
        const { code, stderr } = await lock([], ["pass"], variables, {
          "alembic/env.py": options(expression),
          ...files,
        });
        assert.match(stderr, /env\.py takes the version table from the environment variable SHOP_SCHEMA, which .*-x/s);
        assert.equal(code, 2);
      });
    }

    it("are not rejected if they are not set: the runner rejects another table", async () => {
      const text = options('os.environ.get("SHOP_SCHEMA", "crm")');
      const { code, stderr } = await lock([], ["pass"], {}, { "alembic/env.py": text });
      assert.equal(code, 0, stderr);
    });
  });

  it("records SQL that has a value of its own", async () => {
    const upgrade = ["op.execute('CREATE TABLE s3cret ()')"];
    const { stdout } = await lock(settings, upgrade, { ROLE_PASSWORD: "s3cret" });
    assert.match(stdout, /Wrote/);
    const { revisions } = JSON.parse(readFileSync(project?.lock ?? "", "utf8")) as Lock;
    assert.deepEqual(revisions[0]?.upgrade, { sql: ["CREATE TABLE s3cret ();"] });
  });
});
