import { createCipheriv, createDecipheriv, pbkdf2, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { ConfigError } from "./errors.ts";

/** Encrypts as the Pulumi CLI's passphrase provider, so that both read the same files. */
export interface Crypter {
  /** `v1:<salt>:v1:<nonce>:<ciphertext of "pulumi">`: the stack's `encryptionsalt`. */
  readonly salt: string;
  encrypt(text: string): string;
  decrypt(text: string): string;
}

const base64 = (bytes: Buffer): string => bytes.toString("base64");

function passphrase({
  PULUMI_CONFIG_PASSPHRASE: given,
  PULUMI_CONFIG_PASSPHRASE_FILE: file,
}: NodeJS.ProcessEnv): string {
  if (given !== undefined) return given;
  if (file) return readFileSync(file, "utf8").trim();
  throw new ConfigError(
    "passphrase must be set with PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE environment variables",
  );
}

/**
 * Opens AES-256-GCM with a key of PBKDF2-SHA256 and 1,000,000 iterations, which take a fifth of a second.
 *
 * @param salt - The stack's `encryptionsalt`; default: a new one.
 * @throws {ConfigError} If the passphrase is incorrect.
 */
export async function openCrypter(phrase: string, salt?: string): Promise<Crypter> {
  const [version, encodedSalt, ...check] = salt?.split(":") ?? ["v1", base64(randomBytes(8))];
  if (version !== "v1" || encodedSalt === undefined)
    throw new ConfigError(`invalid encryptionsalt "${salt}": must be v1:<salt>:v1:<nonce>:<ciphertext>`);
  const key = await promisify(pbkdf2)(phrase, Buffer.from(encodedSalt, "base64"), 1_000_000, 32, "sha256");
  // A text keeps its ciphertext, so that an unchanged state isn't written again.
  const known = new Map<string, string>();
  const encrypt = (text: string): string => {
    const previous = known.get(text);
    if (previous !== undefined) return previous;
    const nonce = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", key, nonce);
    const bytes = Buffer.concat([cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]);
    const encrypted = `v1:${base64(nonce)}:${base64(bytes)}`;
    known.set(text, encrypted);
    return encrypted;
  };
  const decrypt = (text: string): string => {
    const [, nonce = "", ciphertext = ""] = text.split(":");
    const bytes = Buffer.from(ciphertext, "base64");
    const decipher = createDecipheriv("aes-256-gcm", key, Buffer.from(nonce, "base64"));
    decipher.setAuthTag(bytes.subarray(-16));
    const decrypted = decipher.update(bytes.subarray(0, -16), undefined, "utf8") + decipher.final("utf8");
    known.set(decrypted, text);
    return decrypted;
  };
  if (check.length === 0) return { salt: `v1:${encodedSalt}:${encrypt("pulumi")}`, encrypt, decrypt };
  try {
    if (decrypt(check.join(":")) !== "pulumi") throw new Error("differs");
  } catch {
    throw new ConfigError("incorrect passphrase: check PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE");
  }
  return { salt: salt ?? "", encrypt, decrypt };
}

/** Opens a stack's crypter by its salt; returns the open one for no salt or the same salt. */
export type Keyring = (salt?: string) => Promise<Crypter>;

/** Returns a {@link Keyring} that reads the passphrase from an environment, at first use. */
export function keyring(environment: NodeJS.ProcessEnv = process.env): Keyring {
  let open: { salt?: string; crypter: Promise<Crypter> } | undefined;
  return async (salt) => {
    if (open !== undefined && (salt === undefined || [open.salt, (await open.crypter).salt].includes(salt)))
      return open.crypter;
    open = { salt, crypter: openCrypter(passphrase(environment), salt) };
    return open.crypter;
  };
}
