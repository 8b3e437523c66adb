import { readFileSync } from "node:fs";
import { request } from "node:https";
import { apiUrl } from "./kubeconfig.ts";
import { pkiPath } from "./pki.ts";

/** An answer of the API server. */
export interface ApiAnswer {
  readonly status: number;
  readonly text: string;
}

/**
 * Asks the API server, as the administrator.
 * @param path Path and query.
 * @param apply An object to be applied at that path (server-side apply). @defaultValue None: a GET.
 * @throws If nothing answers within two seconds.
 */
export function askApi(path: string, apply?: unknown): Promise<ApiAnswer> {
  return new Promise((resolve, reject) => {
    const call = request(
      `${apiUrl}${path}`,
      {
        method: apply === undefined ? "GET" : "PATCH",
        headers: apply === undefined ? {} : { "content-type": "application/apply-patch+yaml" },
        ca: readFileSync(pkiPath("ca", "crt")),
        cert: readFileSync(pkiPath("admin", "crt")),
        key: readFileSync(pkiPath("admin", "key")),
        agent: false,
        timeout: 2000,
      },
      (answer) => {
        let text = "";
        answer.setEncoding("utf8").on("data", (part: string) => {
          text += part;
        });
        answer.on("error", reject);
        answer.on("end", () => resolve({ status: answer.statusCode ?? 0, text }));
      },
    );
    call.on("timeout", () => call.destroy(new Error(`${apiUrl}${path}: no answer within 2 s`)));
    call.on("error", reject);
    call.end(apply === undefined ? undefined : JSON.stringify(apply));
  });
}

/** @returns Whether the API server answers and calls itself ready. */
export async function apiIsReady(): Promise<boolean> {
  return (await askApi("/readyz")).status === 200;
}
