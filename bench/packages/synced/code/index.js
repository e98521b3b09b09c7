const CALLS = 200;

async function extract([event]) {
  const { event_type, event_context } = event.payload;
  const worker = event_context.worker_data_url;
  const send = async (url, body) => {
    const response = await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  };
  const report = (type) => send(event_context.callback_url, { event_type: type, event_context, event_data: {} });
  if (event_type === "EXTRACTION_METADATA_START") return await report("METADATA_EXTRACTION_DONE");
  if (event_type === "EXTRACTION_ATTACHMENTS_START") return await report("ATTACHMENT_EXTRACTION_DONE");
  const known = await fetch(`${worker}.get`);
  const { done } = known.status === 404 ? { done: 0 } : JSON.parse((await known.json()).state);
  await send(`${worker}.update`, { state: JSON.stringify({ done: done + 1 }) });
  return await report(done + 1 < CALLS ? "DATA_EXTRACTION_PROGRESS" : "DATA_EXTRACTION_DONE");
}

exports.functionFactory = { extract, idle: async () => ({ idle: true }) };
