import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { clusterName, kubeconfigPath, ports, statePath } from "./config.ts";
import { pkiPath } from "./pki.ts";

/** Where the API server listens. */
export const apiUrl = `https://127.0.0.1:${ports.apiserver}`;

/** Writes a file by way of a temporary one, so that no reader sees half of it; leaves an equal file alone. */
export function writeIfChanged(path: string, text: string, mode = 0o600): void {
  if (existsSync(path) && readFileSync(path, "utf8") === text) return;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, text, { mode });
  renameSync(`${path}.new`, path);
}

/** @returns A kubeconfig (JSON is YAML) with certificate and key in it, so that it works when copied elsewhere. */
function kubeconfig(user: string, certificate: string): string {
  const data = (path: string) => readFileSync(path).toString("base64");
  return `${JSON.stringify(
    {
      apiVersion: "v1",
      kind: "Config",
      clusters: [
        { name: clusterName, cluster: { server: apiUrl, "certificate-authority-data": data(pkiPath("ca", "crt")) } },
      ],
      users: [
        {
          name: user,
          user: {
            "client-certificate-data": data(pkiPath(certificate, "crt")),
            "client-key-data": data(pkiPath(certificate, "key")),
          },
        },
      ],
      contexts: [{ name: clusterName, context: { cluster: clusterName, user } }],
      "current-context": clusterName,
    },
    undefined,
    2,
  )}\n`;
}

/** @returns The path of a component's own kubeconfig. */
export function componentKubeconfig(name: "kubelet" | "controller-manager" | "scheduler"): string {
  return statePath("config", `${name}.kubeconfig`);
}

/** Writes the kubeconfigs: the administrator's, and one for each component that has an identity of its own. */
export function writeKubeconfigs(): void {
  writeIfChanged(kubeconfigPath, kubeconfig("unity-admin", "admin"));
  for (const name of ["kubelet", "controller-manager", "scheduler"] as const)
    writeIfChanged(componentKubeconfig(name), kubeconfig(name, name));
}
