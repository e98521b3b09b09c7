/** Whether mocks fit a flow: a name that no node has would never answer anything. */
import { didYouMean } from "../manifest/near-miss.ts";
import type { Mocks } from "./mocks.ts";
import type { FlowProgram } from "./program.ts";

const UNDO = "/undo";

/** Sentences that begin with the name of the mock. */
export function checkMocks({ nodes }: FlowProgram, mocks: Mocks): readonly { readonly mock: string; readonly problem: string }[] {
  const found: { mock: string; problem: string }[] = [];
  for (const [mock, answers] of Object.entries(mocks)) {
    const isUndo = mock.endsWith(UNDO);
    const id = isUndo ? mock.slice(0, -UNDO.length) : mock;
    const node = nodes.get(id);
    const isWait = node?.type === "wait";
    if (node === undefined) found.push({ mock, problem: `names no node of the flow.${didYouMean(id, nodes.keys())}` });
    else if (isUndo && node.compensate === null) found.push({ mock, problem: `is for what undoes \`${id}\`, which nothing does.` });
    else if (!isWait && node.category !== "call")
      found.push({ mock, problem: `is for a \`${node.type}\` node, which asks nobody; take it away.` });
    else if (isWait && answers.some(({ kind }) => kind === "real"))
      found.push({ mock, problem: "is for a node that waits for somebody, and cannot be run." });
  }
  return found;
}
