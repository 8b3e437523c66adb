import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { visibleCommands } from "../../src/cli/command.ts";
import { unityProgram } from "../../src/cli/program.ts";
import { projectRoot } from "../../src/paths.ts";
import { readSettingsSchema } from "../../src/settings/declarations.ts";
import { blocksOf } from "../support/pages.ts";

const read = (path: string) => readFileSync(join(projectRoot, path), "utf8");
const pages = ["README.md", "backend/README.md", ...globSync("docs/**/*.md", { cwd: projectRoot })].sort();

/** A page without its blocks of code, which contain no links or headings. */
function proseOf(page: string): string {
  return read(page).replaceAll(/^( *)```[\s\S]*?^ *```$/gm, "");
}

/** The code of a page: its blocks, and inline code. */
function codeOf(page: string): string[] {
  const inline = [...proseOf(page).matchAll(/`([^`\n]+)`/g)].map(([, code = ""]) => code);
  return [...blocksOf(read(page)).map(({ text }) => text), ...inline];
}

/** The anchors of a page's headings, as GitHub generates them (https://docs.github.com/en/get-started/writing-on-github). */
function anchorsOf(page: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ""] of proseOf(page).matchAll(/^#+ +(.+?) *$/gm)) {
    const text = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
    const slug = text.replaceAll(/[^\p{L}\p{N}_ -]/gu, "").replaceAll(" ", "-");
    const again = [...anchors].filter((anchor) => anchor === slug || /-\d+$/.test(anchor.slice(slug.length))).length;
    anchors.add(again === 0 ? slug : `${slug}-${again}`);
  }
  return anchors;
}

/** The links of a page to files of the project. */
function linksOf(page: string): { readonly target: string; readonly anchor: string | undefined }[] {
  const links = [...proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) => link);
  return links
    .filter((link) => !/^[a-z]+:/.test(link))
    .map((link) => {
      const [path = "", anchor] = link.split("#");
      return { target: path === "" ? page : relative(projectRoot, join(projectRoot, dirname(page), path)), anchor };
    });
}

/** Every call of `pulumi-alembic` in a page: its command and options. */
function callsOf(page: string): { readonly command: string; readonly options: string[] }[] {
  const calls = codeOf(page).flatMap((code) => [
    ...code.matchAll(/(?:^(?:npx )?pulumi-alembic|npm run unity --) ([a-z]\S*)([^\n#;|]*)/gm),
  ]);
  return calls.map(([, command = "", rest = ""]) => ({
    command,
    options: [...rest.replaceAll(/"[^"]*"/g, "").matchAll(/(?<=^|\s)--?[a-z][a-z-]*/g)].map(([option]) => option),
  }));
}

describe("the project's pages", () => {
  it("link the walkthrough in the README", () => {
    assert.ok(linksOf("README.md").some(({ target }) => target === "docs/how-to/new-revision.md"));
    assert.ok(read("README.md").split("\n").length <= 120, "the README is short");
  });

  it("are all linked, starting at docs/README.md", () => {
    const found = new Set(["README.md", "backend/README.md", "docs/README.md"]);
    for (const page of found) for (const { target } of linksOf(page)) if (pages.includes(target)) found.add(target);
    assert.deepEqual(
      pages.filter((page) => !found.has(page)),
      [],
    );
  });

  for (const page of pages) {
    it(`link only to what exists: ${page}`, () => {
      const broken = linksOf(page).filter(({ target, anchor }) => {
        const path = join(projectRoot, target);
        if (!existsSync(path)) return true;
        return anchor !== undefined && (statSync(path).isDirectory() || !anchorsOf(target).has(anchor));
      });
      assert.deepEqual(broken, []);
    });
  }

  it("name only existing targets of make", () => {
    const targets = new Set([...read("Makefile").matchAll(/^([a-z-]+):/gm)].map(([, target]) => target));
    const named = pages.flatMap((page) =>
      codeOf(page).flatMap((code) => [...code.matchAll(/^make ([a-z-]+)/gm)].map(([, target]) => ({ page, target }))),
    );
    assert.ok(named.length > 10);
    assert.deepEqual(
      named.filter(({ target }) => !targets.has(target)),
      [],
    );
  });

  it("name only existing settings", () => {
    const settings = readSettingsSchema(projectRoot);
    const patterns = [
      /pulumi config (?:set|rm)(?: --stack \S+| --\w+)* '?([a-zA-Z]+)/g,
      /\bunity:([a-zA-Z]+)(?=[:[])/g,
    ];
    const named = pages.flatMap((page) =>
      codeOf(page).flatMap((code) =>
        patterns.flatMap((pattern) => [...code.matchAll(pattern)].map(([, key]) => ({ page, key: `unity:${key}` }))),
      ),
    );
    assert.ok(named.length > 20);
    assert.deepEqual(
      named.filter(({ key }) => !(key in settings)),
      [],
    );
  });

  it("name only existing commands and options", () => {
    const commands = new Map(visibleCommands(unityProgram()).map((command) => [command.name(), command]));
    const calls = pages.flatMap((page) => callsOf(page).map((call) => ({ page, ...call })));
    assert.ok(calls.length > 20);
    const errors = calls.flatMap(({ page, command, options }) => {
      const found = commands.get(command);
      if (found === undefined) return [`${page}: ${command}`];
      const known = found.options.flatMap(({ short, long }) => [short, long]);
      const unknown = options.filter((option) => option !== "--help" && !known.includes(option));
      return unknown.map((option) => `${page}: ${command} ${option}`);
    });
    assert.deepEqual(errors, []);
  });
});
