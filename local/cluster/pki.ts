import { X509Certificate } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { clusterName, network, statePath } from "./config.ts";
import { run } from "./run.ts";

const validDays = 365;

/** Certificates are made anew when one of them ends within this time. */
const renewDays = 30;

/** One certificate: who it is for, and the names it is good for. */
interface Identity {
  readonly name: string;
  readonly subject: string;
  readonly alternativeNames: string;
}

const identities: readonly Identity[] = [
  {
    name: "apiserver",
    subject: "/CN=kube-apiserver",
    alternativeNames: `IP:127.0.0.1,IP:${network.apiServiceAddress},IP:${network.nodeAddress},DNS:localhost,DNS:kubernetes.default.svc`,
  },
  { name: "etcd", subject: "/CN=etcd", alternativeNames: "IP:127.0.0.1,DNS:localhost" },
  { name: "admin", subject: "/O=system:masters/CN=unity-admin", alternativeNames: "DNS:unity-admin" },
  {
    name: "kubelet",
    subject: `/O=system:nodes/CN=system:node:${clusterName}`,
    alternativeNames: `DNS:${clusterName},IP:${network.nodeAddress}`,
  },
  {
    name: "controller-manager",
    subject: "/CN=system:kube-controller-manager",
    alternativeNames: "DNS:kube-controller-manager",
  },
  { name: "scheduler", subject: "/CN=system:kube-scheduler", alternativeNames: "DNS:kube-scheduler" },
];

/** @returns The path of a certificate's file (`crt`), its key's (`key`), its request's (`cnf`), or a public key's (`pub`). */
export function pkiPath(name: string, kind: "crt" | "key" | "pub" | "cnf"): string {
  return statePath("pki", `${name}.${kind}`);
}

/** @returns Whether a certificate (PEM) is valid now and for the next {@link renewDays} days. */
function staysValid(pem: string, now = Date.now()): boolean {
  const certificate = new X509Certificate(pem);
  return certificate.validFromDate.getTime() <= now && certificate.validToDate.getTime() > now + renewDays * 86_400_000;
}

/** @returns Whether every certificate is there and stays valid for a while. */
function certificatesAreGood(): boolean {
  return (
    existsSync(pkiPath("service-account", "pub")) &&
    ["ca", ...identities.map((identity) => identity.name)].every(
      (name) => existsSync(pkiPath(name, "crt")) && staysValid(readFileSync(pkiPath(name, "crt"), "utf8")),
    )
  );
}

/** Makes the cluster's certificate authority and all certificates, unless they are there and stay valid for a while. */
export async function ensureCertificates(): Promise<void> {
  if (certificatesAreGood()) return;
  mkdirSync(statePath("pki"), { recursive: true, mode: 0o700 });
  await certify("ca", `/CN=${clusterName}-ca`, [
    "basicConstraints = critical,CA:TRUE",
    "keyUsage = critical,keyCertSign",
  ]);
  await Promise.all([
    ...identities.map(({ name, subject, alternativeNames }) =>
      certify(
        name,
        subject,
        [
          "basicConstraints = critical,CA:FALSE",
          "extendedKeyUsage = serverAuth,clientAuth",
          `subjectAltName = ${alternativeNames}`,
        ],
        ["-CA", pkiPath("ca", "crt"), "-CAkey", pkiPath("ca", "key")],
      ),
    ),
    makeServiceAccountKey(),
  ]);
}

/** Makes a key on the P-256 curve and a certificate of it, self-signed unless `authority` names another. */
async function certify(
  name: string,
  subject: string,
  extensions: readonly string[],
  authority: readonly string[] = [],
): Promise<void> {
  const config = pkiPath(name, "cnf");
  const lines = ["[req]", "distinguished_name = dn", "x509_extensions = ext", "[dn]", "[ext]", ...extensions, ""];
  writeFileSync(config, lines.join("\n"));
  await run("openssl", [
    ...["req", "-x509", "-config", config, "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"],
    ...["-nodes", "-sha256", "-days", String(validDays), "-subj", subject, ...authority],
    ...["-keyout", pkiPath(name, "key"), "-out", pkiPath(name, "crt")],
  ]);
}

/** Makes the key that signs service accounts' tokens; kept for as long as it is there, since tokens refer to it. */
async function makeServiceAccountKey(): Promise<void> {
  const [key, pub] = [pkiPath("service-account", "key"), pkiPath("service-account", "pub")];
  if (existsSync(pub)) return;
  await run("openssl", ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-out", key]);
  await run("openssl", ["pkey", "-in", key, "-pubout", "-out", pub]);
}
