import { deepEqual, equal, notEqual } from "node:assert/strict";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseSources, pythonBase, rootReference, sourceLines, transportOptions } from "../../local/images/base.ts";
import { contextFiles, contextHash } from "../../local/images/context.ts";
import { keptImages, orphanedNames, supersededImages } from "../../local/images/import.ts";
import { parsePipConfig, pipConfig, pipEnvironment } from "../../local/images/pip.ts";
import { temporaryFolder } from "../support/folder.ts";

describe("images", () => {
  const cases: readonly (readonly [patterns: string[], path: string, ignored: boolean])[] = [
    [["tests"], "tests/test_app.py", true],
    [["tests"], "app/tests/x.py", false],
    [["**/__pycache__"], "app/__pycache__/x.pyc", true],
    [["**/*.pyc"], "x.pyc", true],
    [["**/.mypy_cache"], ".mypy_cache/.gitignore", true],
    [["*"], ".env", true],
    [["readme.md"], "README.md", false],
    [["requirements-dev.*"], "requirements-dev.txt", true],
    [["*.md", "!README.md"], "README.md", false],
    [["# app", "", "/app/"], "app/main.py", true],
    [[], "app/main.py", false],
  ];
  for (const [patterns, path, ignored] of cases)
    it(`${ignored ? "ignore" : "include"} ${path} with .dockerignore ${JSON.stringify(patterns)}`, () => {
      using context = temporaryFolder();
      mkdirSync(join(context.path, dirname(path)), { recursive: true });
      writeFileSync(join(context.path, path), "");
      writeFileSync(join(context.path, ".dockerignore"), [...patterns, ".dockerignore"].join("\n"));
      deepEqual(contextFiles(context.path), ignored ? [] : [path]);
    });

  it("hash a context's names, contents, and permissions, without ignored files", () => {
    using temporary = temporaryFolder();
    const folder = temporary.path;
    const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
    mkdirSync(join(folder, "app"));
    write("Dockerfile", "FROM scratch");
    write(".dockerignore", "Dockerfile\n*.log\n");
    write("app/main.py", "1");
    const hashes = [contextHash(folder)];
    write("out.log", "noise");
    equal(contextHash(folder), hashes[0]);
    deepEqual(contextFiles(folder), [".dockerignore", "Dockerfile", "app/main.py"]);
    const changes = [
      () => write("app/main.py", "2"),
      () => chmodSync(join(folder, "app/main.py"), 0o755),
      () => write("Dockerfile", "FROM other"),
      () => write("app/more.py", ""),
    ];
    for (const change of changes) {
      change();
      hashes.push(contextHash(folder));
    }
    equal(new Set(hashes).size, changes.length + 1);
  });

  it("use the machine's Debian mirrors and no other repository", () => {
    const text = [
      "Debian|Debian|http://mirror.example/debian/",
      "Docker|Docker CE|https://docker.example/linux/debian",
      "Debian|Debian-Security|http://mirror.example/security/",
    ].join("\n");
    deepEqual(sourceLines(parseSources(text)), [
      "deb http://mirror.example/debian/ bookworm main",
      "deb http://mirror.example/debian/ bookworm-updates main",
      "deb http://mirror.example/security/ bookworm-security main",
    ]);
    deepEqual(sourceLines(parseSources("")), []);
  });

  it("use only the network settings of apt", () => {
    const proxy = 'Acquire::http::Proxy "http://proxy.example:3128";';
    deepEqual(transportOptions(`APT::Install "1";\nAcquire::http "";\n${proxy}\nAcquire::cdrom::mount "/media";\n`), [
      proxy,
    ]);
  });

  it("read pip's settings in pip's order, the environment last", () => {
    const file = parsePipConfig(
      "[global]\nindex-url = https://one.example\nfind_links =\n  /a\n  /b\n[list]\nformat = x\n",
    );
    deepEqual(file, { "index-url": "https://one.example", "find-links": "/a /b" });
    const all = { ...file, ...pipEnvironment({ PIP_INDEX_URL: "https://two.example", PIP_NO_INPUT: "1", HOME: "/" }) };
    equal(pipConfig(all), "[global]\nindex-url = https://two.example\nfind-links = /a /b\n");
  });

  it("of one name are superseded, except the newest and those in use", () => {
    const image = (names: string[] | null, second: number) => ({
      names,
      createdatraw: `2030-01-01T00:00:${second}Z`,
    });
    const seconds = Array.from({ length: keptImages + 2 }, (_, index) => 11 + ((index * 7) % (keptImages + 2)));
    const images = [
      ...seconds.map((second) => image([`localhost/a:${second}`], second)),
      image(["localhost/ab:10"], 10),
      image(null, 10),
    ];
    deepEqual(supersededImages(images, "localhost/a", ["localhost/a:11"]), ["localhost/a:12"]);
  });

  it("lose the name by digest with the last tag of the same name", () => {
    const digest = (character: string) => `sha256:${character.repeat(64)}`;
    const images = [
      { reference: "localhost/a:1", digest: digest("1") },
      { reference: "localhost/a:2", digest: digest("1") },
      { reference: `localhost/a@${digest("1")}`, digest: digest("1") },
      { reference: "localhost/b:1", digest: digest("2") },
      { reference: `localhost/b@${digest("2")}`, digest: digest("2") },
    ];
    deepEqual(orphanedNames(images, []), []);
    deepEqual(orphanedNames(images, ["localhost/a:1"]), []);
    deepEqual(orphanedNames(images, ["localhost/a:1", "localhost/a:2"]), [`localhost/a@${digest("1")}`]);
    deepEqual(orphanedNames(images, ["localhost/b:1"]), [`localhost/b@${digest("2")}`]);
  });

  it("have a root file system reference that depends on its inputs", () => {
    equal(rootReference(pythonBase), rootReference({ ...pythonBase }));
    notEqual(rootReference(pythonBase), rootReference({ ...pythonBase, packages: ["python3"] }));
  });
});
