// Runs the stock administration client over the jobs on standard input; one JSON array of results on standard output.
import { AttestationAdministrationClient } from "@azure/attestation";
import { readFileSync } from "node:fs";

const { url, bearer, jobs } = JSON.parse(readFileSync(0, "utf8"));
const credential = { getToken: async () => ({ token: bearer, expiresOnTimestamp: 4102444800000 }) };

function options(job) {
  return {
    validationOptions: {
      validateToken: true,
      validateExpirationTime: true,
      validateNotBeforeTime: true,
      validateIssuer: true,
      expectedIssuer: job.issuer ?? url,
    },
    ...(job.key ? { privateKey: job.key, certificate: job.certificate } : {}),
  };
}

function policyResult({ body }) {
  return {
    resolution: body.policyResolution,
    tokenHash: body.policyTokenHash ? Buffer.from(body.policyTokenHash).toString("base64") : null,
    signer: body.policySigner?.certificates?.[0] ?? null,
  };
}

function certificateResult({ body }) {
  return { thumbprint: body.certificateThumbprint, resolution: body.certificateResolution };
}

async function run(client, job) {
  switch (job.operation) {
    case "get":
      return (await client.getPolicy(job.type, options(job))).body;
    case "set":
      return policyResult(await client.setPolicy(job.type, job.policy, options(job)));
    case "reset":
      return policyResult(await client.resetPolicy(job.type, options(job)));
    case "list":
      return (await client.getPolicyManagementCertificates(options(job))).body.map((one) => one.certificates);
    case "add":
      return certificateResult(await client.addPolicyManagementCertificate(job.subject, job.key, job.certificate, options(job)));
    case "remove":
      return certificateResult(await client.removePolicyManagementCertificate(job.subject, job.key, job.certificate, options(job)));
    default:
      throw new Error(`no operation ${job.operation}`);
  }
}

const client = new AttestationAdministrationClient(url, credential);
const results = [];
for (const job of jobs) {
  try {
    results.push({ ok: await run(client, job) });
  } catch (error) {
    results.push({ error: { name: error.name, status: error.statusCode ?? null, code: error.code ?? null, message: String(error.message) } });
  }
}
process.stdout.write(JSON.stringify(results));
