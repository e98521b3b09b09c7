import { createSystemRuntime } from "../../runtime/system-runtime.ts";
import { TEST_IMAGES } from "../fixtures/jailed-repl.ts";
import { textProgram } from "../fixtures/test-sandbox.ts";
import { CONTRACT_PROGRAM, providerContract } from "../provider-contract.ts";
import { prepareNodeImage } from "../runtimes/node-image.ts";
import { prepareJailKit } from "./kit.ts";
import { ProcessProvider } from "./process-provider.ts";

const runtime = createSystemRuntime();
const kit = prepareJailKit({ runtime });

providerContract(
  "process",
  async () => ({
    provider: new ProcessProvider(kit),
    image: await prepareNodeImage({ name: "node", program: textProgram(CONTRACT_PROGRAM), flags: [], runtime, imageFolder: TEST_IMAGES }),
  }),
  kit.cgroups === undefined ? { scratch: "no control group bounds kernel memory here" } : {},
);
