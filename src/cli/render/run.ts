import { commandLine } from "../../command-line.ts";
import { loadRelease, type Release } from "../../preflight/release.ts";
import type { Settings } from "../../settings/settings.ts";
import { type GeneratedFilesOptions, type WrittenOrChecked, writeOrCheck } from "../generated-files.ts";
import type { Call, Result } from "../result.ts";
import { concealed, ofStack, type StackOptions, withSettings } from "../stack.ts";
import { renderFiles } from "./files.ts";

/**
 * Writes the release as YAML, or with `--check` reports which files are stale.
 *
 * @returns The files that were written, or how they differ.
 */
export async function run(call: Call<ReleaseOptions & GeneratedFilesOptions>): Promise<Result<WrittenOrChecked>> {
  const { options, progress } = call;
  const files = await withRelease(options, renderFiles, progress.print);
  return writeOrCheck(files, options, ofStack(commandLine("render"), options));
}

/** Options of commands that render a release. */
export interface ReleaseOptions extends StackOptions {
  readonly image?: string;
}

/** Placeholder for the image if the stack has none. */
const exampleImage = "registry.example/unity-backend:1.0";

/** Defaults of settings that rendering doesn't require. No secret is rendered. */
const defaults = {
  "unity:image": exampleImage,
  "unity:context": "<context>",
  "unity:databasePassword": concealed,
  "unity:applicationPassword": concealed,
  "unity:databaseUrl": concealed,
};
/** Defaults for an external database with separate roles. */
const separateExternal = { ...defaults, "unity:migrationDatabaseUrl": concealed };

/**
 * Calls `use` with the stack's settings and the checkout's release. A placeholder replaces a missing image.
 *
 * @param print - Prints a warning about a missing image.
 * @throws {CommandError} With the errors of the settings or the lockfile.
 */
export async function withRelease<T>(
  options: ReleaseOptions,
  use: (settings: Settings, release: Release) => T | Promise<T>,
  print: (line: string) => void = console.error,
): Promise<T> {
  return withSettings(
    options,
    (settings) => {
      if (settings.image === exampleImage)
        print(`warning: no image set, using the placeholder ${exampleImage}; pass --image <reference>`);
      return use(settings, loadRelease(settings));
    },
    (values) => {
      const isSeparateExternal =
        values["unity:databaseRoles"] === "separate" && values["unity:database"] === "external";
      const completed = withDefaults(values, isSeparateExternal ? separateExternal : defaults);
      return options.image === undefined ? completed : { ...completed, "unity:image": options.image };
    },
  );
}

/** Returns the values, with defaults for those that are missing or empty. */
function withDefaults(
  values: Readonly<Record<string, string>>,
  defaults: Readonly<Record<string, string>>,
): Record<string, string> {
  const completed: Record<string, string> = { ...values };
  for (const [key, value] of Object.entries(defaults)) completed[key] ||= value;
  return completed;
}
