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

export function installFailure(tool: "npm" | "pip", output: string): CommandFailure {
  const missing = missingPackages(output);
  const lines = output
    .split("\n")
    // Of npm's words only the ones about this failure: not its news, not a log in a folder that is gone by now.
    .filter((line) => line.trim() !== "" && !/^npm (?:notice|error A complete log|error \d+\s*$)/.test(line))
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
