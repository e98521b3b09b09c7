/** The native operations, one line for each. */
import { executeCode } from "./execute-code.ts";
import { http } from "./http.ts";
import type { MakeNativeOperation } from "./native-operation.ts";

export const NATIVE_OPERATIONS: readonly MakeNativeOperation[] = [http, executeCode];
