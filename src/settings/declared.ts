import { readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * @returns The full keys of the settings that `Pulumi.yaml` in `folder` declares, such as `unity:image`. They are found
 * without a parser of YAML, which each start of the program would have to load; `readSettingsSchema` reads all of
 * the file, and a test holds that both find the same.
 */
export function declaredSettings(folder: string): readonly string[] {
  const text = readFileSync(join(folder, "Pulumi.yaml"), "utf8");
  return [...text.matchAll(/^ {2}(\w+:\w+):/gm)].map(([, key = ""]) => key);
}
