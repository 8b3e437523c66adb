import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { replaceFile } from "../../src/replace-file.ts";
import { clusterName, kubeconfigPath, ports, statePath } from "./config.ts";
import { pkiPath } from "./pki.ts";

/** URL of the API server. */
export const apiUrl = `https://127.0.0.1:${ports.apiserver}`;

/** Writes a file if its content changed, atomically. */
export function writeIfChanged(path: string, text: string, mode = 0o600): void {
  if (existsSync(path) && readFileSync(path, "utf8") === text) return;
  mkdirSync(dirname(path), { recursive: true });
  replaceFile(path, text, { mode });
}

/** Returns a kubeconfig, as JSON, that includes the certificate and the key, so that a copy of it works. */
function kubeconfig(user: string, certificate: string): string {
  const data = (path: string) => readFileSync(path).toString("base64");
  const cluster = { server: apiUrl, "certificate-authority-data": data(pkiPath("ca", "crt")) };
  const credentials = {
    "client-certificate-data": data(pkiPath(certificate, "crt")),
    "client-key-data": data(pkiPath(certificate, "key")),
  };
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: clusterName, cluster }],
    users: [{ name: user, user: credentials }],
    contexts: [{ name: clusterName, context: { cluster: clusterName, user } }],
    "current-context": clusterName,
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}

/** Returns the path of a component's kubeconfig. */
export function componentKubeconfig(name: "kubelet" | "controller-manager" | "scheduler"): string {
  return statePath("config", `${name}.kubeconfig`);
}

/** Writes the kubeconfigs of the administrator and of each component that has an identity. */
export function writeKubeconfigs(): void {
  writeIfChanged(kubeconfigPath, kubeconfig("unity-admin", "admin"));
  for (const name of ["kubelet", "controller-manager", "scheduler"] as const)
    writeIfChanged(componentKubeconfig(name), kubeconfig(name, name));
}
