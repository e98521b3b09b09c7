import { addAddress } from "./flow/address.ts";
import { addBulk } from "./flow/bulk.ts";
import { addChange } from "./flow/change.ts";
import { addDelete } from "./flow/delete.ts";
import { addDocuments } from "./flow/documents.ts";
import { addPublish } from "./flow/publish.ts";
import { addRun } from "./flow/run.ts";
import { addRunList } from "./flow/run-list.ts";
import { addRuns } from "./flow/runs.ts";
import { addTest } from "./flow/test.ts";
import { addWatch } from "./flow/watch.ts";
import type { AddCommand } from "./table.ts";

export const flow: AddCommand = (program) => {
  const group = program.command("flow").description("Flows: steps that run one after the other, across restarts");
  for (const add of [addPublish, addAddress, addTest, addRun, addRunList, addRuns, addWatch, addChange, addBulk, addDocuments, addDelete])
    add(group);
};
