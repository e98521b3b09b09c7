import { urgentWords, type Inputs } from "../../urgent-words";

interface WorkCreated {
  payload: { work_created: { work: { id: string; title: string } } };
  context: { secrets: { service_account_token: string } };
  execution_metadata: { devrev_endpoint: string };
  input_data: Inputs;
}

/** Comments on the ticket by the interface that packages call back. */
export default async function run(events: WorkCreated[]) {
  for (const { payload, context, execution_metadata, input_data } of events) {
    const { id, title } = payload.work_created.work;
    const urgent = urgentWords(title, input_data);
    const body = urgent.length === 0 ? "Thank you, we will look at it." : `We look at it now (${urgent.join(", ")}).`;
    const response = await fetch(`${execution_metadata.devrev_endpoint}/timeline-entries.create`, {
      method: "POST",
      headers: { authorization: context.secrets.service_account_token, "content-type": "application/json" },
      body: JSON.stringify({ object: id, type: "timeline_comment", body }),
    });
    if (!response.ok) throw new Error(`timeline-entries.create answered ${response.status}: ${await response.text()}`);
    console.log(`answered ${id}`);
  }
  return {};
}
