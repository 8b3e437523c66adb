import { X509Certificate } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { clusterName, network, statePath } from "./config.ts";
import { run } from "./run.ts";

const validDays = 365;

/** Remaining days of a certificate below which all certificates are renewed. */
const renewDays = 30;

/** The identity that a certificate proves. */
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

/** Returns the path of a certificate (`crt`), its key (`key`), its request (`cnf`), or a public key (`pub`). */
export function pkiPath(name: string, kind: "crt" | "key" | "pub" | "cnf"): string {
  return statePath("pki", `${name}.${kind}`);
}

/** Whether a certificate exists and is valid now and for the next {@link renewDays} days. */
function isValid(name: string): boolean {
  const path = pkiPath(name, "crt");
  if (!existsSync(path)) return false;
  const { validFromDate, validToDate } = new X509Certificate(readFileSync(path));
  const now = Date.now();
  return validFromDate.getTime() <= now && validToDate.getTime() > now + renewDays * 86_400_000;
}

/** Creates the cluster's certificate authority and all certificates, unless all of them are valid. */
export async function ensureCertificates(): Promise<void> {
  const names = ["ca", ...identities.map(({ name }) => name)];
  if (existsSync(pkiPath("service-account", "pub")) && names.every(isValid)) return;
  mkdirSync(statePath("pki"), { recursive: true, mode: 0o700 });
  await createCertificate("ca", `/CN=${clusterName}-ca`, [
    "basicConstraints = critical,CA:TRUE",
    "keyUsage = critical,keyCertSign",
  ]);
  const authority = ["-CA", pkiPath("ca", "crt"), "-CAkey", pkiPath("ca", "key")];
  const certificates = identities.map(({ name, subject, alternativeNames }) => {
    const extensions = [
      "basicConstraints = critical,CA:FALSE",
      "extendedKeyUsage = serverAuth,clientAuth",
      `subjectAltName = ${alternativeNames}`,
    ];
    return createCertificate(name, subject, extensions, authority);
  });
  await Promise.all([...certificates, ensureServiceAccountKey()]);
}

/** Creates a key on the P-256 curve and its certificate, which is self-signed without an `authority`. */
async function createCertificate(
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

/** Creates the key that signs service account tokens. Keeps an existing one, because tokens refer to it. */
async function ensureServiceAccountKey(): Promise<void> {
  const key = pkiPath("service-account", "key");
  const pub = pkiPath("service-account", "pub");
  if (existsSync(pub)) return;
  await run("openssl", ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-out", key]);
  await run("openssl", ["pkey", "-in", key, "-pubout", "-out", pub]);
}
