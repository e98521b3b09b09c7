interface GreetEvent {
  payload: { parameters?: string };
  input_data: { global_values: { greeting?: string } };
}

export default async function run(events: GreetEvent[]) {
  const [event] = events;
  const name = event?.payload.parameters?.trim() || "world";
  const greeting = event?.input_data.global_values.greeting ?? "Hello";
  console.log(`greeting ${name}`);
  return { text: `${greeting}, ${name}!` };
}
