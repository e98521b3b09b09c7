/** A host that dies at one point of one saga: `node crash-host.ts <folder> <kind> <step> <when>`. */
import { SCOPE, startSnapInHost } from "./snap-in-host.ts";
import { testPackage } from "./test-package.ts";

const [folder = "", kind = "", step = "", when = "", failing = ""] = process.argv.slice(2);
let armed = false;
const host = await startSnapInHost({
  folder,
  probe: (at) => {
    if (!armed || at.saga.kind !== kind) return;
    if (failing !== "" && at.step === failing && at.when === "before") throw new Error("injected");
    if (at.step === step && at.when === when) process.kill(process.pid, "SIGKILL");
  },
});
await host.keyrings.create(SCOPE, { name: "remote", type: "snap_in_secret", fields: { secret: "value" } });
const first = await host.upload("tester", testPackage());
const second = await host.upload("tester", testPackage({ mark: "two", eventSources: 3 }));
const { id } = await host.snapIns.install(SCOPE, { package: "tester", version: first.version });
if (kind !== "activate") await host.snapIns.activate(SCOPE, id);
armed = true;
if (kind === "activate") await host.snapIns.activate(SCOPE, id);
if (kind === "deactivate") await host.snapIns.deactivate(SCOPE, id);
if (kind === "upgrade") await host.snapIns.upgrade(SCOPE, id, { version: second.version });
// The point was never reached.
process.exit(3);
