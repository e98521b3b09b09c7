/**
 * Commands: what a user types at an object, `/<name> <parameters>`. They run at once, with a token that stands for the user.
 *
 * C1 A command runs only on objects of the types that one of its surfaces names.
 */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { CommandSpec } from "@plinth/core/manifest/manifest.ts";
import type { Scope } from "../database/database.ts";
import type { Actor, InvocationOutcome } from "../engine/invocation.ts";
import { objectTypeOf, organisationName, partName, snapInName } from "../snap-ins/ids.ts";
import { activePackages, type ActivePackage } from "./active-packages.ts";
import type { Modality } from "./modality.ts";
import type { ModalityContext } from "./modality-context.ts";

export interface CommandTrigger {
  readonly namespace: string;
  readonly name: string;
  /** Name of the object that it runs on: `don:…:<type>/<id>` or `<type>/<id>`. */
  readonly object: string;
  readonly parameters: string;
  /** The surface; the first that fits when absent. */
  readonly surface?: string;
  /** Who types it. */
  readonly user: string;
  readonly actor: Actor;
  readonly idempotencyKey?: string;
}

/** A command as users see it. */
export interface ListedCommand {
  readonly namespace: string;
  readonly name: string;
  readonly description: string;
  readonly usageHint: string;
  readonly surfaces: CommandSpec["surfaces"];
  /** What brings it: an installed package, or a flow. */
  readonly package: string | null;
  readonly snapIn: string | null;
  readonly flow: string | null;
}

export interface PackageCommand extends ListedCommand {
  readonly package: string;
  readonly snapIn: string;
}

export async function listCommands(
  context: Pick<ModalityContext, "snapIns" | "packages">,
  scope: Scope,
): Promise<readonly PackageCommand[]> {
  const all = await activePackages(context, scope);
  return all.flatMap(({ snapIn, manifest }) =>
    manifest.commands.map(({ namespace, name, description, usageHint, surfaces }) => ({
      namespace,
      name,
      description,
      usageHint,
      surfaces,
      package: snapIn.package,
      snapIn: snapIn.id,
      flow: null,
    })),
  );
}

export const COMMANDS: Modality<CommandTrigger, InvocationOutcome> = {
  name: "command",
  prepare: async (context, scope, trigger) => {
    const { found, command } = await findCommand(context, scope, trigger);
    checkParameters(trigger.parameters);
    const sourceId = partName(scope, found.snapIn.id, { kind: "command", name: `${command.namespace}.${command.name}` });
    const surface = surfaceOf(command, trigger);
    return {
      path: `@${found.snapIn.package}/${command.function}`,
      actor: trigger.actor,
      subject: { snapInId: found.snapIn.id, eventType: "command", sourceId, userId: trigger.user, actsForUser: true },
      payload: {
        actor_id: trigger.user,
        command_id: sourceId,
        dev_org: organisationName(scope),
        parameters: trigger.parameters,
        parent_id: snapInName(scope, found.snapIn.id),
        request_id: Buffer.from(context.runtime.randomBytes(16)).toString("hex"),
        source_id: trigger.object,
        surface: `display:${surface}`,
      },
      priority: "interactive",
      ...(trigger.idempotencyKey === undefined
        ? {}
        : {
            idempotencyKey: trigger.idempotencyKey,
            comparedText: JSON.stringify([sourceId, trigger.object, trigger.parameters, surface]),
          }),
    };
  },
  finish: (_context, _trigger, outcome) => outcome,
};

async function findCommand(
  context: ModalityContext,
  scope: Scope,
  { namespace, name }: CommandTrigger,
): Promise<{ readonly found: ActivePackage; readonly command: CommandSpec }> {
  for (const found of await activePackages(context, scope)) {
    const command = found.manifest.commands.find((candidate) => candidate.name === name && candidate.namespace === namespace);
    if (command !== undefined) return { found, command };
  }
  throw plinthError("NotFound", { what: `active command '${namespace.slice(0, 64)}/${name.slice(0, 64)}'` });
}

/** What manifests call the types of objects whose ids have a shorter name, or the name of one kind of them. */
const TYPES_OF_KINDS: ReadonlyMap<string, string> = new Map([
  ["product", "part"],
  ["capability", "part"],
  ["feature", "part"],
  ["enhancement", "part"],
  ["linkable", "part"],
  ["runnable", "part"],
  ["revu", "rev_user"],
  ["revo", "rev_org"],
  ["devu", "dev_user"],
]);

/** C1 */
export function surfaceOf(command: Pick<CommandSpec, "surfaces">, { object, surface }: CommandTrigger): string {
  const kind = objectTypeOf(object);
  if (kind === undefined)
    throw plinthError("BadRequest", { detail: "`object` must name an object, as `don:core:…:ticket/1` or `ticket/1`." });
  const type = TYPES_OF_KINDS.get(kind) ?? kind;
  const fits = command.surfaces.filter(({ objectTypes }) => objectTypes.includes(type) || objectTypes.includes(kind));
  const chosen = surface === undefined ? fits[0] : fits.find((candidate) => candidate.surface === surface);
  if (chosen !== undefined) return chosen.surface;
  const known = [...new Set(command.surfaces.flatMap(({ objectTypes }) => objectTypes))].join(", ");
  const at = surface === undefined ? "" : ` on the surface '${surface.slice(0, 40)}'`;
  throw plinthError("BadRequest", { detail: `The command does not run on a '${type}'${at}; it runs on: ${known}.` });
}

export function checkParameters(parameters: string): void {
  const max = limit("commandParametersCharsMax");
  if (parameters.length > max)
    throw plinthError("RequestTooLarge", { what: "text behind the command", actual: `${parameters.length} characters`, max });
}
