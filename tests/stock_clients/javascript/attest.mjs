// Runs the stock client over the jobs on standard input; one JSON array of results on standard output.
import { AttestationClient } from "@azure/attestation";
import { readFileSync } from "node:fs";

const { url, jobs } = JSON.parse(readFileSync(0, "utf8"));
const validation = (issuer) => ({
  validateToken: true,
  validateExpirationTime: true,
  validateNotBeforeTime: true,
  validateIssuer: true,
  expectedIssuer: issuer,
});

function options(job) {
  const chosen = { validationOptions: validation(job.issuer ?? url) };
  if (job.runTimeData) chosen.runTimeData = Buffer.from(job.runTimeData, "base64");
  if (job.runTimeJson) chosen.runTimeJson = Buffer.from(job.runTimeJson, "base64");
  if (job.draft) chosen.draftPolicyForAttestation = job.draft;
  return chosen;
}

async function attest(client, job) {
  const evidence = Buffer.from(job.evidence, "base64");
  const response =
    job.kind === "SgxEnclave"
      ? await client.attestSgxEnclave(evidence, options(job))
      : await client.attestOpenEnclave(evidence, options(job));
  const { body, token } = response;
  return {
    issuer: body.issuer,
    mrEnclave: body.mrEnclave,
    mrSigner: body.mrSigner,
    productId: body.productId,
    svn: body.svn,
    isDebuggable: body.isDebuggable,
    uniqueId: body.uniqueId,
    runTimeClaims: body.runTimeClaims ?? null,
    held: body.enclaveHeldData ? Buffer.from(body.enclaveHeldData).toString("base64") : null,
    quoteHash: body.sgxCollateral?.quotehash ?? null,
    algorithm: token.algorithm,
  };
}

async function run(client, job) {
  switch (job.operation) {
    case "signers":
      return (await client.getAttestationSigners()).map((signer) => ({
        keyId: signer.keyId,
        certificate: signer.certificates[0],
      }));
    case "metadata":
      return client.getOpenIdMetadata();
    default:
      return attest(client, job);
  }
}

const client = new AttestationClient(url);
const results = [];
for (const job of jobs) {
  try {
    results.push({ ok: await run(client, job) });
  } catch (error) {
    results.push({ error: { name: error.name, status: error.statusCode ?? null, code: error.code ?? null, message: String(error.message) } });
  }
}
process.stdout.write(JSON.stringify(results));
