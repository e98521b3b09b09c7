/**
 * The ids of a session's requests that are not answered yet. The protocol lets an id be used once; the library would send the answers of
 * two requests with one id to the later of them, and the first would wait for ever.
 */
export class RequestIds {
  readonly #open = new Set<string | number>();

  /** Takes the ids of the requests in a body; false, and nothing is taken, when one of them is in use. */
  take(body: unknown): boolean {
    const messages = messagesOf(body);
    const ids = messages.flatMap(requestId);
    if (new Set(ids).size < ids.length || ids.some((id) => this.#open.has(id))) return false;
    for (const id of ids) this.#open.add(id);
    for (const message of messages) this.#cancel(message);
    return true;
  }

  /** Gives back what `take` took: the requests were not begun. */
  release(body: unknown): void {
    for (const id of messagesOf(body).flatMap(requestId)) this.#open.delete(id);
  }

  /** An answer is on its way. */
  answered(message: unknown): void {
    if (isObject(message) && !("method" in message) && isId(message["id"])) this.#open.delete(message["id"]);
  }

  /** Cancelled requests get no answer. */
  #cancel(message: unknown): void {
    if (!isObject(message) || message["method"] !== "notifications/cancelled" || !isObject(message["params"])) return;
    const id = message["params"]["requestId"];
    if (isId(id)) this.#open.delete(id);
  }
}

function messagesOf(body: unknown): readonly unknown[] {
  return Array.isArray(body) ? body : [body];
}

function requestId(message: unknown): readonly (string | number)[] {
  return isObject(message) && "method" in message && isId(message["id"]) ? [message["id"]] : [];
}

function isId(id: unknown): id is string | number {
  return typeof id === "string" || typeof id === "number";
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
