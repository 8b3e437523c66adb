import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createCipheriv, createDecipheriv, pbkdf2Sync } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readProject, readSettings, setConfig } from "../../local/engine/project.ts";
import { keyring, openCrypter } from "../../local/engine/secrets.ts";
import type { Resource } from "../../local/engine/state.ts";
import { StateFile } from "../../local/engine/state-file.ts";
import { type Properties, secret } from "../../local/engine/values.ts";

const phrase = "correct horse";
const salt = Buffer.from("0102030405060708", "hex");
const key = pbkdf2Sync(phrase, salt, 1_000_000, 32, "sha256");

/** Encrypts in the CLI's format, independently of the engine: AES-256-GCM with nonce and tag as in Go's `Seal`. */
function sealed(text: string, nonce: Buffer): string {
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  const bytes = Buffer.concat([cipher.update(text), cipher.final(), cipher.getAuthTag()]);
  return `v1:${nonce.toString("base64")}:${bytes.toString("base64")}`;
}
const encryptionsalt = `v1:${salt.toString("base64")}:${sealed("pulumi", Buffer.alloc(12, 7))}`;
const resource = (name: string, more: Partial<Resource> = {}): Resource => ({
  urn: `urn:${name}`,
  type: "t",
  custom: true,
  inputs: {},
  outputs: {},
  dependencies: [],
  ...more,
});

describe("engine secrets and state", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "engine-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const open = keyring({ PULUMI_CONFIG_PASSPHRASE: phrase });
  const stateFile = () =>
    new StateFile(join(folder, "sub", "state.json"), (known) => openCrypter(phrase, known ?? encryptionsalt));

  it("reads outputs without a passphrase unless they contain a secret", async () => {
    const stack = (outputs: Properties) => resource("stack", { type: "pulumi:pulumi:Stack", outputs });
    const other = resource("other", { inputs: { password: secret("s3cret") } });
    const store = (outputs: Properties) => stateFile().save({ resources: [stack(outputs), other], pending: [] });
    stateFile().lock();
    const locked = new StateFile(stateFile().path, async () => assert.fail("passphrase requested"));
    await store({ head: "a" });
    assert.deepEqual(await locked.outputs(), { head: "a" });
    await store({ head: "a", key: secret("s3cret") });
    await assert.rejects(locked.outputs(), /passphrase requested/);
    assert.deepEqual(await stateFile().outputs(), { head: "a", key: secret("s3cret") });
  });

  it("encrypts and decrypts in the CLI's format", async () => {
    const crypter = await openCrypter(phrase, encryptionsalt);
    assert.equal(crypter.decrypt(sealed("s3cret", Buffer.alloc(12, 1))), "s3cret");
    const [version, nonce = "", bytes = ""] = crypter.encrypt("müsli").split(":");
    const decipher = createDecipheriv("aes-256-gcm", key, Buffer.from(nonce, "base64"));
    const raw = Buffer.from(bytes, "base64");
    decipher.setAuthTag(raw.subarray(-16));
    assert.deepEqual(
      [version, decipher.update(raw.subarray(0, -16), undefined, "utf8") + decipher.final("utf8")],
      ["v1", "müsli"],
    );
  });
  it("rejects an incorrect passphrase", async () => {
    await assert.rejects(openCrypter("wrong", encryptionsalt), /incorrect passphrase/);
  });
  it("creates a salt that opens again", async () => {
    const created = await openCrypter(phrase);
    assert.equal((await openCrypter(phrase, created.salt)).decrypt(created.encrypt("x")), "x");
  });

  it("stores no secret in plain", async () => {
    const file = stateFile();
    file.lock();
    const stored = {
      resources: [resource("a", { outputs: { password: secret({ word: "hunter2" }) } })],
      pending: ["u"],
    };
    await file.save(stored);
    const text = readFileSync(file.path, "utf8");
    assert.doesNotMatch(text, /hunter/);
    assert.deepEqual((await stateFile().load()).resources[0]?.outputs, { password: secret({ word: "hunter2" }) });
    assert.deepEqual((await stateFile().load()).pending, ["u"]);
  });
  it("restricts the file to its owner and rewrites it only if it changed", async () => {
    const file = stateFile();
    file.lock();
    await file.save({ resources: [resource("a")], pending: [] });
    const before = statSync(file.path);
    await file.save({ resources: [resource("a")], pending: [] });
    assert.deepEqual([before.mode & 0o777, statSync(file.path).ino === before.ino], [0o600, true]);
    assert.deepEqual(readdirSync(join(folder, "sub")).sort(), ["state.json", "state.json.lock"]);
    file.unlock();
  });
  it("reports the running process that holds the lock", () => {
    using holder = spawn("sleep", ["60"]);
    const start = readFileSync(`/proc/${holder.pid}/stat`, "utf8").split(") ")[1]?.split(" ")[19];
    stateFile().lock();
    writeFileSync(join(folder, "sub", "state.json.lock"), JSON.stringify({ pid: holder.pid, start }));
    assert.throws(() => stateFile().lock(), new RegExp(`process ${holder.pid}.*kill ${holder.pid}`));
  });
  it("replaces the lock of an ended process, even if its ID is reused", () => {
    stateFile().lock();
    writeFileSync(join(folder, "sub", "state.json.lock"), JSON.stringify({ pid: process.pid, start: "1" }));
    assert.equal(stateFile().lock(), process.pid);
  });

  it("reads keys, types, and secrets of settings as the CLI does", async () => {
    writeFileSync(join(folder, "Pulumi.yaml"), "name: unity\nruntime: nodejs\n");
    writeFileSync(
      join(folder, "Pulumi.dev.yaml"),
      `encryptionsalt: ${encryptionsalt}\nconfig:\n  unity:size: 5\n  unity:flags: {a: [1, true]}\n  unity:password: {secure: "${sealed("hunter2", Buffer.alloc(12, 2))}"}\n`,
    );
    const settings = await readSettings(readProject(folder), join(folder, "Pulumi.dev.yaml"), open);
    assert.deepEqual(settings.config, {
      "unity:size": "5",
      "unity:flags": '{"a":[1,true]}',
      "unity:password": "hunter2",
    });
    assert.deepEqual(settings.secretKeys, ["unity:password"]);
  });
  it("writes settings and keeps comments", async () => {
    writeFileSync(join(folder, "Pulumi.yaml"), "name: unity\nruntime: nodejs\n");
    const [project, file] = [readProject(folder), join(folder, "Pulumi.dev.yaml")];
    writeFileSync(file, "config:\n  unity:a: b # why\n");
    await setConfig(project, file, "password", "hunter2", true, open);
    await setConfig(project, file, "other:plain", "1", false, open);
    assert.doesNotMatch(readFileSync(file, "utf8"), /hunter2/);
    assert.match(readFileSync(file, "utf8"), /# why/);
    assert.deepEqual((await readSettings(project, file, open)).config, {
      "unity:a": "b",
      "unity:password": "hunter2",
      "other:plain": "1",
    });
  });
  it("writes a declared list as a list and rejects other text", async () => {
    const declared = "config: {list: {type: array, items: {type: string}, default: []}}";
    writeFileSync(join(folder, "Pulumi.yaml"), `name: unity\nruntime: nodejs\n${declared}\n`);
    const [project, file] = [readProject(folder), join(folder, "Pulumi.dev.yaml")];
    await setConfig(project, file, "list", '["a"]', false);
    assert.match(readFileSync(file, "utf8"), /unity:list:\n +- a\n/);
    assert.deepEqual((await readSettings(project, file)).config, { "unity:list": '["a"]' });
    await assert.rejects(
      setConfig(project, file, "list", "a", false),
      /invalid unity:list "a": must be JSON of type array/,
    );
  });
  /** Returns the program's view of `settings` in a project that declares `config`. */
  async function configOf(config: string, settings: string): Promise<Record<string, string>> {
    const file = join(folder, "Pulumi.dev.yaml");
    writeFileSync(join(folder, "Pulumi.yaml"), `name: unity\nruntime: nodejs\nconfig: ${config}\n`);
    writeFileSync(file, `config: ${settings}\n`);
    return (await readSettings(readProject(folder), file)).config;
  }
  it("adds the project's defaults", async () => {
    const declared =
      "{size: {type: integer, default: 3}, unity:list: {type: array, items: {type: string}, default: []}}";
    assert.deepEqual(await configOf(declared, "{}"), { "unity:size": "3", "unity:list": "[]" });
    assert.deepEqual(await configOf(declared, "{unity:size: 4}"), { "unity:size": "4", "unity:list": "[]" });
    assert.deepEqual(await configOf("{size: 5}", "{}"), { "unity:size": "5" });
  });
  const invalid: readonly [declared: string, given: string, message: RegExp][] = [
    ["{size: {type: integer}}", "{}", /Stack 'dev' is missing configuration: unity:size/],
    ["{size: {type: integer}}", "{unity:size: two}", /'unity:size' must be of type 'integer'/],
    ["{on: {type: boolean}}", "{unity:on: yes}", /'unity:on' must be of type 'boolean'/],
    ["{list: {type: array, items: {type: string}}}", "{unity:list: a}", /'unity:list' must be of type 'array<string>'/],
    [
      "{list: {type: array, items: {type: string}}}",
      "{unity:list: '[]'}",
      /'unity:list' must be of type 'array<string>'/,
    ],
    ["{word: {type: string, secret: true}}", "{unity:word: plain}", /'unity:word' must be encrypted/],
  ];
  for (const [declared, given, message] of invalid) {
    it(`rejects ${given} for ${declared}`, async () => {
      await assert.rejects(configOf(declared, given), message);
    });
  }
  it("rejects runtimes other than nodejs", () => {
    writeFileSync(join(folder, "Pulumi.yaml"), "name: unity\nruntime: python\n");
    assert.throws(() => readProject(folder), /runtime "python" is not supported/);
  });
});
