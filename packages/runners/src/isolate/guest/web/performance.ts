import { heldBridge } from "./held-bridge.ts";
import { platformClasses } from "./platform-class.ts";

class Performance {
  now(): number {
    return heldBridge().elapsedMs();
  }

  get timeOrigin(): number {
    const bridge = heldBridge();
    return bridge.nowMs() - bridge.elapsedMs();
  }

  toJSON(): object {
    return { timeOrigin: this.timeOrigin };
  }
}

platformClasses({ Performance });

export const performance = new Performance();
