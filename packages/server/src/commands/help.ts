/** `--help`: every setting, from the table that defines them. */
import { SETTINGS, type Setting } from "../config.ts";

export function help(): Promise<number> {
  const settings: readonly Setting[] = Object.values(SETTINGS);
  const lines = settings.map((setting) => {
    const value = setting.kind === "flag" ? "" : ` <${setting.kind === "choice" ? setting.choices.join("|") : setting.kind}>`;
    return `  --${setting.flag}${value}\n      ${setting.description}\n      ${setting.env}, default ${setting.defaultText ?? describeDefault(setting)}`;
  });
  process.stdout.write(
    `plinth-host [serve] [options]      run a host\nplinth-host doctor [--json]        say what isolation this machine gives\nplinth-host restore <backup> <data-dir> [--at <moment>]\n\n${lines.join("\n")}\n`,
  );
  return Promise.resolve(0);
}

function describeDefault(setting: Setting): string {
  const value = Array.isArray(setting.default) ? setting.default.join(",") : String(setting.default ?? "");
  return value === "" ? "none" : value;
}
