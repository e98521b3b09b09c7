import { Validator } from "@seriousme/openapi-schema-validator";
import { expect, test } from "vitest";
import { NATIVE_ROUTES } from "../native/table.ts";
import { openApiDocument } from "./document.ts";

const document = openApiDocument({ routes: NATIVE_ROUTES, url: "http://127.0.0.1:3210" });

test("the document is OpenAPI 3.1 by the schema of the standard", async () => {
  const validator = new Validator({ strictTypes: false });
  const { valid, errors } = await validator.validate(structuredClone(document) as never);
  expect(errors).toBeUndefined();
  expect(valid).toBe(true);
  expect(validator.version).toBe("3.1");
});
