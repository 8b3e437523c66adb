import type { Settings } from "../settings/settings.ts";
import { CommandError } from "./command-error.ts";
import { concealed, readStack, type StackOptions } from "./stack-options.ts";

/** A stack's values by full key, such as `unity:image`. */
type Values = Readonly<Record<string, string>>;

/**
 * @param adjust Changes the stack's values before they are read.
 * @returns What `use` makes of the settings that the program would get.
 * @throws {CommandError} With all that is wrong with the settings, or what the program would say.
 */
export async function withSettings<T>(
  options: StackOptions,
  use: (settings: Settings) => T | Promise<T>,
  adjust: (values: Values) => Values = (values) => values,
): Promise<T> {
  const values = adjust(readStack(options).values);
  const secretKeys = Object.keys(values).filter((key) => values[key] === concealed);
  // Only here: the SDK takes longer to load than the rest of the command line.
  const [pulumi, { loadSettings }] = await Promise.all([import("@pulumi/pulumi"), import("../settings/settings.ts")]);
  try {
    pulumi.runtime.setAllConfig({ ...values }, secretKeys);
    return await use(loadSettings(new pulumi.Config("unity")));
  } catch (error) {
    if (pulumi.RunError.isInstance(error)) throw new CommandError(error.message);
    throw error;
  }
}
