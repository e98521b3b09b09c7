/**
 * Which endpoint an operation asks: what its inputs say, or the settings of the host.
 *
 * A4 A key goes to an address that was named together with it: the keyring of the settings is not used with an address of the inputs.
 */
import { plinthError, type PlinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Scope } from "../database/database.ts";
import type { HandlerEvents } from "../engine/handler-event.ts";
import type { AiEndpoint, AiProvider } from "./ai-client.ts";

/** Settings of the host. */
export interface AiDefaults {
  readonly chat: EndpointDefaults;
  readonly embeddings: EndpointDefaults;
}

/** null where there is none. */
export interface EndpointDefaults {
  readonly provider: AiProvider;
  readonly baseUrl: string | null;
  readonly model: string | null;
  /** Name of a keyring, which each branch has for itself. */
  readonly keyring: string | null;
}

export interface EndpointInputs {
  readonly provider: string | null;
  readonly baseUrl: string | null;
  readonly model: string | null;
  readonly keyring: string | null;
  readonly purpose: "chat" | "embeddings";
}

const PUBLIC_URLS: Readonly<Record<AiProvider, string>> = {
  openai: "https://api.openai.com/v1",
  anthropic: "https://api.anthropic.com",
};
const MODEL_CHARS_MAX = limit("manifestNameCharsMax");

export class AiEndpoints {
  readonly #defaults: AiDefaults;
  readonly #keyrings: Pick<HandlerEvents, "keyrings">;

  constructor(options: { readonly defaults: AiDefaults; readonly keyrings: Pick<HandlerEvents, "keyrings"> }) {
    this.#defaults = options.defaults;
    this.#keyrings = options.keyrings;
  }

  /** Whether the settings name a model for vectors. */
  get canEmbed(): boolean {
    return this.#defaults.embeddings.model !== null;
  }

  /** Rejects with InvalidArgument, NotFound and what keyrings reject with. */
  async resolve(scope: Scope, inputs: EndpointInputs): Promise<AiEndpoint> {
    const defaults = this.#defaults[inputs.purpose];
    const provider = parseProvider(inputs.provider ?? defaults.provider);
    // Settings belong together: those of another provider or address are not mixed in.
    const own = inputs.baseUrl !== null || provider !== defaults.provider;
    const baseUrl = parseBaseUrl(inputs.baseUrl ?? (own ? null : defaults.baseUrl) ?? PUBLIC_URLS[provider]);
    const model = inputs.model ?? (own ? null : defaults.model);
    if (model === null || model === "")
      throw invalid("There is no model: the input has no `model`, and the host no PLINTH_AI_MODEL or PLINTH_EMBEDDINGS_MODEL.");
    if (model.length > MODEL_CHARS_MAX) throw invalid("The name of the model is too long.");
    const keyring = inputs.keyring ?? (own ? null : defaults.keyring);
    return { provider, baseUrl, model, ...(await this.#key(scope, keyring)) };
  }

  async #key(scope: Scope, keyring: string | null): Promise<Pick<AiEndpoint, "key" | "redact">> {
    if (keyring === null || keyring === "") return { key: null, redact: (text) => text };
    const { secrets, redact } = await this.#keyrings.keyrings(scope, [keyring]);
    const key = Object.hasOwn(secrets, keyring) ? secrets[keyring]?.trim() : undefined;
    if (key === undefined || key === "") throw invalid("The keyring holds no key.");
    // It is to be one header; what is said here shows nothing of it.
    if (key.length > limit("aiKeyCharsMax") || !/^[\x21-\x7e]+$/.test(key))
      throw invalid("The keyring holds something that is no key of an endpoint.");
    return { key, redact };
  }
}

function parseProvider(text: string): AiProvider {
  if (text === "openai" || text === "anthropic") return text;
  throw invalid("The provider is `openai` (and all that speaks its protocol) or `anthropic`.");
}

function parseBaseUrl(text: string): string {
  const url = text.length > limit("manifestUrlCharsMax") ? null : URL.parse(text);
  const isPlain =
    url !== null && /^https?:$/.test(url.protocol) && url.username === "" && url.password === "" && url.search === "" && url.hash === "";
  if (!isPlain) throw invalid("base_url has to be an http or https address without user, query and fragment.");
  return url.href.replace(/\/+$/, "");
}

function invalid(detail: string): PlinthError {
  return plinthError("InvalidArgument", { detail });
}
