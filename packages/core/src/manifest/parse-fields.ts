/** Reads described fields that come from elsewhere than a manifest: hostile JSON, with the rules of manifests. */
import type { FieldDescriptor } from "./manifest.ts";
import { ObjectReader } from "./object-reader.ts";
import { Report } from "./report.ts";
import { readField } from "./sections/fields.ts";
import { refuseRepeated } from "./sections/names.ts";

/** undefined when `json` is no list of fields, or when anything in it is wrong. */
export function parseFields(json: unknown): readonly FieldDescriptor[] | undefined {
  if (!Array.isArray(json)) return undefined;
  const report = new Report({});
  const fields = new ObjectReader({ fields: json }, "", report).objects("fields", "manifestFieldsMax", readField);
  refuseRepeated(
    report,
    fields.map(({ name }, i) => ({ name, path: `fields[${i}]` })),
    "name",
  );
  return report.failed ? undefined : fields;
}
