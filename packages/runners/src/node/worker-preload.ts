/** Runs in every worker thread before its own file: the network of the jail, and the door to the host. */
import { installSyscalls } from "./host-calls.ts";
import { installVirtualNetwork } from "./network/install.ts";
import { installWorkers, relayHostCalls } from "./workers.ts";

const hostCall = relayHostCalls();
installSyscalls(hostCall);
installVirtualNetwork(hostCall);
installWorkers(__filename);
