/** Reads a `text/event-stream` answer: yields each event's name and data, and no heartbeats. Ends when the host
 * closes it or is gone: what a command misses then, it says itself. */
export async function* readEvents(response: Response): AsyncGenerator<{ readonly event: string; readonly data: string }> {
  if (response.body === null) return;
  let buffer = "";
  for await (const text of untilLost(response.body.pipeThrough(new TextDecoderStream()))) {
    buffer += text;
    for (let end = buffer.indexOf("\n\n"); end >= 0; end = buffer.indexOf("\n\n")) {
      const event = parseEvent(buffer.slice(0, end));
      // A comment alone keeps the connection alive and is no event.
      if (event.data !== "") yield event;
      buffer = buffer.slice(end + 2);
    }
  }
}

/** `fetch` reports a connection that broke as a TypeError; a host that was killed ends its answer in this way. */
async function* untilLost(body: AsyncIterable<string>): AsyncGenerator<string> {
  try {
    yield* body;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
}

function parseEvent(block: string): { event: string; data: string } {
  const values = (name: string) =>
    block
      .split("\n")
      .filter((line) => line.startsWith(`${name}:`))
      .map((line) => line.slice(name.length + 1).replace(/^ /, ""));
  return { event: values("event")[0] ?? "message", data: values("data").join("\n") };
}
