import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Compilation, sourceBytes } from "../../local/cluster/compilation.ts";
import { temporaryFolder } from "../support/folder.ts";

describe("the compilation of Kubernetes", () => {
  it("is weighed by the sources of each package, as `go list` prints them", () => {
    using folder = temporaryFolder();
    writeFileSync(join(folder.path, "a.go"), "x".repeat(10));
    writeFileSync(join(folder.path, "b.go"), "x".repeat(5));
    const own = { ImportPath: "own", Dir: folder.path, GoFiles: ["a.go", "b.go", "gone.go"] };
    const output = `${JSON.stringify(own, null, "\t")}\n${JSON.stringify({ ImportPath: "unsafe" }, null, "\t")}\n`;
    assert.deepEqual(
      [...sourceBytes(output)],
      [
        ["own", 15],
        ["unsafe", 0],
      ],
    );
  });

  it("shows the time that is left once its speed is known", () => {
    let milliseconds = 0;
    const bytes = new Map(Array.from({ length: 100 }, (_, index) => [`p${index}`, 1000]));
    const compilation = new Compilation(bytes, () => milliseconds);
    const lines = [...bytes.keys()].map((name) => {
      const line = compilation.add(name);
      milliseconds += 6000;
      return line;
    });
    assert.equal(lines[0], "1 of 100 packages, now p0");
    assert.equal(lines[10], "11 of 100 packages, about 9 min left, now p10");
    assert.equal(lines[95], "96 of 100 packages, less than 1 min left, now p95");
  });
});
