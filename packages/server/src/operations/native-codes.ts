/** What the engine runs for `$operation/…`: native operations by their slug, those of tables by `objects/<slug>`. */
import { OBJECTS_NAMESPACE } from "@plinth/core/operations/object-operations.ts";
import type { Operation } from "@plinth/core/operations/operation.ts";
import { nativePath, type NativeCode, type NativeCodes } from "../engine/native-code.ts";
import { readCall } from "./native-call.ts";
import { resultText } from "./native-result.ts";
import type { NativeOperation } from "./native/native-operation.ts";
import { objectCode } from "./object/object-code.ts";

const OBJECTS = nativePath(`${OBJECTS_NAMESPACE}/`);

export function pathOf({ origin, slug }: Pick<Operation, "origin" | "slug">): string {
  return origin === "object" ? `${OBJECTS}${slug}` : nativePath(slug);
}

export function nativeCodes(operations: Iterable<NativeOperation>): NativeCodes {
  const codes = new Map([...operations].map((native) => [pathOf(native.operation), codeOf(native)]));
  return {
    resolve: async (_scope, path) =>
      await Promise.resolve(path.startsWith(OBJECTS) ? objectCode(path.slice(OBJECTS.length)) : codes.get(path)),
  };
}

function codeOf({ operation, kind, wallMs, schema, run }: NativeOperation): NativeCode {
  return {
    kind,
    isRead: true,
    ...(wallMs === undefined ? {} : { wallMs }),
    run: async (context) => resultText(await run(context, readCall(operation.inputs, context.args, schema))),
  };
}
