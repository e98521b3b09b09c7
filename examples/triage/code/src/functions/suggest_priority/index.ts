import { urgentWords, type Inputs } from "../../urgent-words";

interface Execution {
  payload: { data: { text: string } };
  context: { user_id: string; agent_session_id?: string };
  input_data: Inputs;
}

export default async function run([{ payload, context, input_data }]: [Execution]) {
  const words = urgentWords(payload.data.text, input_data);
  console.log(`asked by ${context.agent_session_id === undefined ? "a caller" : `agent session ${context.agent_session_id}`}`);
  return { output: { values: [{ priority: words.length === 0 ? "p2" : "p0", words }] } };
}
