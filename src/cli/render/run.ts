import { loadRelease, type Release } from "../../preflight/release.ts";
import type { Settings } from "../../settings/settings.ts";
import { type GeneratedFilesOptions, type WrittenOrChecked, writeOrCheck } from "../generated-files.ts";
import type { Call, Result } from "../result.ts";
import { concealed, ofStack, type StackOptions, withSettings } from "../stack.ts";
import { renderFiles } from "./files.ts";

/**
 * Writes the release as YAML, or says in what that differs.
 *
 * @returns The files that were written, or in what they differ.
 */
export async function run(call: Call<ReleaseOptions & GeneratedFilesOptions>): Promise<Result<WrittenOrChecked>> {
  const { options, progress } = call;
  return writeOrCheck(
    await withRelease(options, renderFiles, progress.print),
    options,
    ofStack("npm run unity -- render", options),
  );
}

/** Options of the commands that render a release. */
export interface ReleaseOptions extends StackOptions {
  readonly image?: string;
}

/** What stands for an image that a stack doesn't name. */
const exampleImage = "registry.example/unity-backend:1.0";

/** What a stack's file need not say for its objects to be rendered: no secret is ever in them. */
const fallbacks = {
  "unity:image": exampleImage,
  "unity:context": "<context>",
  "unity:databasePassword": concealed,
  "unity:applicationPassword": concealed,
  "unity:databaseUrl": concealed,
};
/** Fallbacks of an external database with separate roles. */
const separateExternal = { ...fallbacks, "unity:migrationDatabaseUrl": concealed };

/**
 * @returns What `use` makes of the stack's settings and of what this checkout brings; where the stack names no image, an
 * example stands for it, and `tell` takes a line that says so.
 * @throws {CommandError} With all that is wrong with the settings or the lock.
 */
export async function withRelease<T>(
  options: ReleaseOptions,
  use: (settings: Settings, release: Release) => T | Promise<T>,
  print: (line: string) => void = console.error,
): Promise<T> {
  const given: Record<string, string> = options.image === undefined ? {} : { "unity:image": options.image };
  return withSettings(
    options,
    (settings) => {
      if (settings.image === exampleImage)
        print(`unity: no image is set, ${exampleImage} stands for it: name yours with --image.`);
      return use(settings, loadRelease(settings));
    },
    (values) => {
      const isSeparateExternal =
        values["unity:databaseRoles"] === "separate" && values["unity:database"] === "external";
      return { ...values, ...withoutValue(isSeparateExternal ? separateExternal : fallbacks, values), ...given };
    },
  );
}

/** @returns The fallbacks of what a stack's values leave open. */
function withoutValue(
  candidates: Record<string, string>,
  values: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(Object.entries(candidates).filter(([key]) => !values[key]));
}
