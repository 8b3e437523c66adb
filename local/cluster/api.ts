import { readFileSync } from "node:fs";
import { request } from "node:https";
import { apiUrl } from "./kubeconfig.ts";
import { pkiPath } from "./pki.ts";

/** A response of the API server. */
export interface ApiResponse {
  readonly status: number;
  readonly text: string;
}

const timeoutMilliseconds = 2000;

/** Sends a GET request to the API server, as the administrator. */
export function getFromApi(path: string): Promise<ApiResponse> {
  return send(path, "GET");
}

/** Applies an object at a path of the API server (server-side apply), as the administrator. */
export function applyToApi(path: string, object: unknown): Promise<ApiResponse> {
  return send(path, "PATCH", JSON.stringify(object));
}

function send(path: string, method: "GET" | "PATCH", body?: string): Promise<ApiResponse> {
  return new Promise((resolve, reject) => {
    const outgoing = request(`${apiUrl}${path}`, {
      method,
      headers: body === undefined ? {} : { "content-type": "application/apply-patch+yaml" },
      ca: readFileSync(pkiPath("ca", "crt")),
      cert: readFileSync(pkiPath("admin", "crt")),
      key: readFileSync(pkiPath("admin", "key")),
      agent: false,
      timeout: timeoutMilliseconds,
    });
    outgoing.on("response", (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => {
        text += part;
      });
      response.on("error", reject);
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
    });
    outgoing.on("timeout", () => {
      outgoing.destroy(new Error(`${apiUrl}${path}: no response within ${timeoutMilliseconds / 1000}s`));
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

/** Whether the API server is ready. */
export async function apiIsReady(): Promise<boolean> {
  const response = await getFromApi("/readyz");
  return response.status === 200;
}
