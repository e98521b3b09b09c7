import { Event, EventTarget, setErrorHandler, setWarningHandler } from "event-target-shim";
import { heldBridge } from "./held-bridge.ts";
import { knowClasses } from "./known-classes.ts";
import { platformClasses } from "./platform-class.ts";

// An error in a listener is nobody's to catch; a warning about a harmless habit is nobody's to read.
setErrorHandler((error) => heldBridge().reportUncaught(error));
setWarningHandler(() => undefined);

export class CustomEvent extends Event {
  readonly #detail: unknown;

  constructor(type: string, init?: { readonly detail?: unknown }) {
    super(type, init);
    this.#detail = init?.detail ?? null;
  }

  get detail(): unknown {
    return this.#detail;
  }
}

platformClasses({ Event, EventTarget, CustomEvent });
knowClasses({ EventTarget });

export { Event, EventTarget };
