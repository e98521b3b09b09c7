/** A small catalogue for tests: customers, invoices, and a function of each kind. */
import type { Operation, OperationField } from "../operations/operation.ts";
import type { CataloguedFunction, FlowCatalogue } from "./catalogue.ts";

function field(name: string, fieldType: string, isRequired = true): OperationField {
  return {
    name,
    description: "",
    fieldType,
    baseType: fieldType === "array" ? "text" : null,
    idType: [],
    allowedValues: [],
    isRequired,
    ui: {},
  };
}

function operation(
  slug: string,
  effect: Operation["effect"],
  inputs: readonly OperationField[],
  outputs: readonly OperationField[],
): Operation {
  return {
    slug,
    namespace: "test",
    displayName: slug,
    description: "",
    type: slug.endsWith("_created") ? "trigger" : "action",
    origin: "object",
    isWorkflowNode: true,
    isAgentSkill: false,
    inputs: [{ name: "default", fields: inputs }],
    outputs: [{ name: "default", fields: outputs }],
    effect,
    scopes: [],
    timeoutMs: null,
  };
}

const OPERATIONS: readonly Operation[] = [
  operation("get_customer", "read", [field("id", "text")], [field("name", "text"), field("tier", "text"), field("spent", "double")]),
  operation("list_customers", "read", [field("tier", "text", false)], [field("names", "array")]),
  operation(
    "create_invoice",
    "write",
    [field("customer", "text"), field("amount", "double"), field("note", "text", false)],
    [field("id", "text")],
  ),
  operation("delete_invoice", "write", [field("id", "text")], []),
  operation("charge_card", "outside", [field("amount", "double")], [field("id", "text")]),
  operation("refund_card", "outside", [field("id", "text")], []),
  operation("customer_created", "read", [], []),
];

const FUNCTIONS: Readonly<Record<string, CataloguedFunction>> = {
  "orders:reserve": { kind: "mutation", output: { record: { reservation: "string" } } },
  "orders:release": { kind: "mutation", output: "null" },
};

export const TEST_CATALOGUE: FlowCatalogue = {
  operation: (name) => OPERATIONS.find(({ slug }) => slug === name),
  operationNames: () => OPERATIONS.map(({ slug }) => slug),
  function: (path) => FUNCTIONS[path],
  functionPaths: () => Object.keys(FUNCTIONS),
  flow: (name) => (name === "notify" ? { input: "any", output: { record: { sent: "boolean" } } } : undefined),
  flowNames: () => ["notify"],
  hasConnection: (name) => name === "crm",
};
