/** The reference page of the command line, made from the commands themselves. */
import { Command } from "commander";
import { COMMANDS } from "../packages/cli/src/commands/table.ts";

export function cliPage(): string {
  const program = new Command("plinth");
  for (const add of COMMANDS) add(program);
  const sections = program.commands.flatMap((command) => sectionsOf(command, "plinth"));
  return `# Command line

Every command takes \`--url\`, \`--key\`, \`--tenant\`, \`--branch\`, \`--branch-key\` and \`--json\`, which prints results as JSON, one value a
line. Exit codes are those of [errors](errors.md); 0 is success, 4 a mistake of the caller.

${sections.join("\n")}`;
}

function sectionsOf(command: Command, parent: string): readonly string[] {
  const name = `${parent} ${command.name()}`;
  if (command.commands.length > 0) {
    return [`## ${name}\n\n${command.description()}.\n`, ...command.commands.flatMap((inner) => sectionsOf(inner, name))];
  }
  const takesArguments = command.registeredArguments.map((argument) => {
    const dots = argument.variadic ? "..." : "";
    return argument.required ? `<${argument.name()}${dots}>` : `[${argument.name()}${dots}]`;
  });
  const rows = [
    ...command.registeredArguments
      .filter(({ description }) => description !== "")
      .map((argument) => [argument.name(), argument.description]),
    ...command.options.filter(({ hidden }) => !hidden).map((option) => [option.flags, option.description]),
  ].map(([what, says]) => `- \`${what ?? ""}\`${says === undefined || says === "" ? "" : `: ${says}`}`);
  const usage = [name, ...takesArguments].join(" ");
  const level = parent === "plinth" ? "##" : "###";
  return [`${level} ${usage}\n\n${command.description()}.\n${rows.length === 0 ? "" : `\n${rows.join("\n")}\n`}`];
}
