/** What an install that failed says: the packages that could not be had, then the tool's own last words. */
import { CommandFailure } from "../failure.ts";

const EXIT_CODE = 1;

/** Packages that npm or pip name as missing in their output. */
export function missingPackages(output: string): readonly string[] {
  const found = [
    // npm: 404 '@scope/name@1.2.3' is not in this registry; No matching version found for name@1.2.3.
    ...output.matchAll(/'([^'\s]+@[^'\s]+)' is not in (?:this|the npm) registry/g),
    ...output.matchAll(/No matching version found for (\S+?)\.?(?:\s|$)/g),
    ...output.matchAll(/code E404[\s\S]{0,400}?404\s+(?:Not Found - GET \S+?\/)?(@?[\w.-]+(?:%2[fF]|\/)?[\w.-]*)(?:\s|$)/g),
    // pip: No matching distribution found for name==1.0
    ...output.matchAll(/No matching distribution found for (\S+)/g),
  ].map((match) => decodeURIComponent(match[1] ?? "").replace(/^'|'$/g, ""));
  return [...new Set(found)].filter((name) => name !== "");
}

/** Why a registry could not be trusted, in its tool's words; null where that is not what failed. */
export function distrust(output: string): string | null {
  // npm: http fetch GET https://registry.example/name attempt 1 failed with CERT_HAS_EXPIRED
  const npm = /\bGET (https:\/\/[^\s/]+)\S* attempt \d+ failed with (\w*CERT\w*|UNABLE_TO_VERIFY_LEAF_SIGNATURE)\b/.exec(output);
  if (npm !== null) return `${npm[1] ?? ""}: ${npm[2] ?? ""}`;
  // pip: HTTPSConnectionPool(host='pypi.example', port=443) … [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: … (_ssl.c:1)
  return /\[SSL: CERTIFICATE_VERIFY_FAILED\] (certificate verify failed[^(']*)/.exec(output)?.[1]?.trim() ?? null;
}

const TRUST = {
  npm: "name its authority in the file of NODE_EXTRA_CA_CERTS, or another registry in .npmrc",
  pip: "name its authority in the file of PIP_CERT, or another registry with PIP_INDEX_URL",
};

export function installFailure(tool: "npm" | "pip", output: string): CommandFailure {
  const reason = distrust(output);
  if (reason !== null)
    return new CommandFailure(`${tool} does not trust the certificate of the registry (${reason}): ${TRUST[tool]}.`, EXIT_CODE);
  const missing = missingPackages(output);
  const lines = output
    .split("\n")
    // Of npm's words only the ones about this failure: not its news, not a log in a folder that is gone by now.
    .filter((line) => line.trim() !== "" && !/^npm (?:notice|http|error A complete log|error \d+\s*$)/.test(line))
    .slice(-15);
  const advice =
    missing.length > 0
      ? `These packages could not be had: ${missing.join(", ")}. Correct their names or versions, or take others with --override.`
      : "Correct what it complains about and try again.";
  return new CommandFailure(
    `${tool} could not install the dependencies, also without its cache. ${advice}\n${lines.map((line) => `  ${line}`).join("\n")}`,
    EXIT_CODE,
  );
}
