/** `dataModel.d.ts`: documents and ids, from the schema where there is one. */
export function dataModelDeclaration(hasSchema: boolean): string {
  return hasSchema ? withSchema : withoutSchema;
}

const withSchema = `import type { DataModelFromSchemaDefinition, DocumentByName, SystemTableNames, TableNamesInDataModel } from "convex/server";
import type { GenericId } from "convex/values";
import schema from "../schema.js";

/** The tables that the schema declares, with their documents and indexes. */
export type DataModel = DataModelFromSchemaDefinition<typeof schema>;

export type TableNames = TableNamesInDataModel<DataModel>;

/** A document of a table. */
export type Doc<TableName extends TableNames> = DocumentByName<DataModel, TableName>;

/** The id of a document of a table. */
export type Id<TableName extends TableNames | SystemTableNames> = GenericId<TableName>;
`;

const withoutSchema = `import type { AnyDataModel } from "convex/server";
import type { GenericId } from "convex/values";

/** Without a schema every table holds documents of any form. */
export type DataModel = AnyDataModel;

export type TableNames = string;

/** A document of a table. */
export type Doc<_TableName extends TableNames = TableNames> = any;

/** The id of a document of a table. */
export type Id<TableName extends TableNames = TableNames> = GenericId<TableName>;
`;
