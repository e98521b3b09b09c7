/**
 * Snap-kit: what users do with the elements that a package shows, and the functions that say what is shown first.
 *
 * K1 A body that leaves towards those who draw it has known elements only, within bounds.
 * K2 Elements change by what the function calls, not by what it returns; initializers return their body.
 */
import { plinthError } from "@plinth/core/errors.ts";
import { snapKitProblem } from "@plinth/core/snap-kit/check-snap-kit-body.ts";
import type { Scope } from "../database/database.ts";
import type { Actor, InvocationOutcome } from "../engine/invocation.ts";
import { organisationName, partName, snapInName } from "../snap-ins/ids.ts";
import { activePackage, type ActivePackage } from "./active-packages.ts";
import type { Modality } from "./modality.ts";
import type { ModalityContext } from "./modality-context.ts";

/** What a user did with one element. */
export interface ElementAction {
  readonly id: string;
  readonly type: string;
  readonly value?: unknown;
  readonly blockId?: string;
  readonly timestampS?: number;
}

export interface SnapKitTrigger {
  readonly snapIn: string;
  /** Name in the manifest's `snap_kit_actions`. */
  readonly action: string;
  readonly element: ElementAction;
  /** What was shown: `{snaps}`. */
  readonly body?: unknown;
  /** `entry_id`, and `parent_core_object_id` or `object_id`. */
  readonly context?: Readonly<Record<string, unknown>>;
  readonly user: string;
  readonly actor: Actor;
  readonly idempotencyKey?: string;
}

export const SNAP_KIT_ACTIONS: Modality<SnapKitTrigger, InvocationOutcome> = {
  name: "snapKit",
  prepare: async (context, scope, trigger) => {
    const found = await mustBeActive(context, scope, trigger.snapIn);
    const action = found.manifest.snapKitActions.find(({ name }) => name === trigger.action);
    if (action === undefined) throw plinthError("NotFound", { what: `snap-kit action '${trigger.action.slice(0, 64)}' of the snap-in` });
    if (trigger.body !== undefined) mustBeBody(trigger.body, (detail) => plinthError("BadRequest", { detail }));
    const actionId = partName(scope, found.snapIn.id, { kind: "snap_kit_action", name: action.name });
    const { id, type, value, blockId, timestampS } = trigger.element;
    return {
      path: `@${found.snapIn.package}/${action.function}`,
      actor: trigger.actor,
      subject: { snapInId: found.snapIn.id, eventType: "snap_kit_action", sourceId: actionId, userId: trigger.user, actsForUser: true },
      payload: {
        action: {
          id,
          type: type.toUpperCase(),
          value: value ?? null,
          block_id: blockId ?? "",
          timestamp: timestampS ?? Math.floor(context.runtime.nowMs() / 1000),
        },
        action_id: actionId,
        actor_id: trigger.user,
        body: trigger.body ?? { snaps: [] },
        context: trigger.context ?? {},
        dev_org: organisationName(scope),
        parent_id: snapInName(scope, found.snapIn.id),
        request_id: Buffer.from(context.runtime.randomBytes(16)).toString("hex"),
      },
      priority: "interactive",
      ...(trigger.idempotencyKey === undefined
        ? {}
        : {
            idempotencyKey: trigger.idempotencyKey,
            comparedText: JSON.stringify([actionId, trigger.element, trigger.body, trigger.context]),
          }),
    };
  },
  finish: (_context, _trigger, outcome) => outcome,
};

/** A component of the manifest, or the handler of the configuration. */
export interface InitializerTrigger {
  readonly snapIn: string;
  readonly component?: string;
  readonly configuration?: "organization" | "user";
  /** The object at which the component is shown. */
  readonly object?: string;
  readonly user: string;
  readonly actor: Actor;
}

/** What is shown first, and whose action its elements call. */
export interface InitialBody {
  readonly snap_kit_body: unknown;
  readonly snap_kit_action_name: string | null;
}

export const INITIALIZERS: Modality<InitializerTrigger, InitialBody> = {
  name: "snapKit",
  prepare: async (context, scope, trigger) => {
    const { found, spec, part } = await findInitializer(context, scope, trigger);
    if (spec.initializer === null) throw plinthError("NotFound", { what: "initializer of this component" });
    const sourceId = partName(scope, found.snapIn.id, part);
    return {
      path: `@${found.snapIn.package}/${spec.initializer}`,
      actor: trigger.actor,
      subject: { snapInId: found.snapIn.id, eventType: "snap_kit_initializer", sourceId, userId: trigger.user, actsForUser: true },
      payload: {
        actor_id: trigger.user,
        dev_org: organisationName(scope),
        parent_id: snapInName(scope, found.snapIn.id),
        source_id: sourceId,
        context: { ...(trigger.object === undefined ? {} : { object_id: trigger.object }) },
        request_id: Buffer.from(context.runtime.randomBytes(16)).toString("hex"),
      },
      priority: "interactive",
    };
  },
  finish: (_context, _trigger, outcome) => {
    if (outcome.status === "failed") throw outcome.error;
    const value: unknown = JSON.parse(outcome.valueText);
    const body = typeof value === "object" && value !== null ? (Reflect.get(value, "snap_kit_body") as unknown) : undefined;
    mustBeBody(body, (detail) => plinthError("ReturnsValidation", { detail: `The initializer's \`snap_kit_body\`: ${detail}` }));
    return { snap_kit_body: body, snap_kit_action_name: null };
  },
};

/** The body of a component that needs no function; undefined when there is an initializer to ask. */
export async function staticBody(context: ModalityContext, scope: Scope, trigger: InitializerTrigger): Promise<InitialBody | undefined> {
  const { spec } = await findInitializer(context, scope, trigger);
  if (spec.initializer !== null) return undefined;
  return { snap_kit_body: spec.snapKitBody ?? { snaps: [] }, snap_kit_action_name: spec.snapKitActionName };
}

/** Whose action the elements of a component call. */
export async function actionNameOf(context: ModalityContext, scope: Scope, trigger: InitializerTrigger): Promise<string | null> {
  return (await findInitializer(context, scope, trigger)).spec.snapKitActionName;
}

async function findInitializer(context: ModalityContext, scope: Scope, { snapIn, component, configuration }: InitializerTrigger) {
  const found = await mustBeActive(context, scope, snapIn);
  const { manifest } = found;
  if (configuration !== undefined) {
    const handler = manifest.configurationHandler[configuration];
    if (handler === undefined) throw plinthError("NotFound", { what: `configuration handler of the ${configuration}` });
    return { found, spec: { ...handler, snapKitBody: undefined }, part: { kind: "configuration_handler", name: configuration } as const };
  }
  const spec = manifest.snapComponents.find(({ name }) => name === component);
  if (spec === undefined) throw plinthError("NotFound", { what: `component '${(component ?? "").slice(0, 64)}' of the snap-in` });
  return { found, spec, part: { kind: "snap_component", name: spec.name } as const };
}

async function mustBeActive(context: ModalityContext, scope: Scope, id: string): Promise<ActivePackage> {
  const found = await activePackage(context, scope, id);
  if (found === undefined) throw plinthError("NotFound", { what: "active snap-in with this id" });
  return found;
}

/** K1 */
function mustBeBody(body: unknown, error: (detail: string) => Error): void {
  const problem = snapKitProblem(body);
  if (problem !== undefined) throw error(problem);
}
