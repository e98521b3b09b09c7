/**
 * What the filters of event sources say. They are programs of their authors and run in a jail of the tenant; one run of a program
 * judges all events that wait together, for all users who have the source. When such a run fails, each event is asked for alone, so that one that the program
 * cannot bear costs the others nothing.
 */
import { PlinthError, plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { JailTools } from "../sandbox/tools.ts";
import type { EventRow } from "./event-records.ts";

export interface FilterQuestion {
  readonly sourceId: string;
  readonly filterJq: string;
  /** `$user.id` */
  readonly user: string | null;
  readonly event: EventRow;
}

const EXHAUSTED: ReadonlySet<string> = new Set(["FunctionTimeout", "FunctionOutOfMemory"]);

/** An error is for the author of the filter. */
export type Verdict = "yes" | "no" | PlinthError;

export function verdictKey(eventId: string, sourceId: string): string {
  return `${eventId} ${sourceId}`;
}

/** Verdicts by `verdictKey`. Rejects when the platform fails. */
export async function judge(
  tools: Pick<JailTools, "run">,
  tenant: string,
  questions: readonly FilterQuestion[],
): Promise<ReadonlyMap<string, Verdict>> {
  const verdicts = new Map<string, Verdict>();
  const byProgram = Map.groupBy(questions, ({ filterJq }) => filterJq);
  await Promise.all(
    [...byProgram.values()].flatMap(inRuns).map(async (ofRun) => {
      const answers = await judgeTogether(tools, tenant, ofRun);
      for (const [index, { event, sourceId }] of ofRun.entries()) {
        const answer = answers[index];
        if (answer !== undefined) verdicts.set(verdictKey(event.id, sourceId), answer);
      }
    }),
  );
  return verdicts;
}

/** As many as one run judges in its time. */
function inRuns(questions: readonly FilterQuestion[]): readonly (readonly FilterQuestion[])[] {
  const most = limit("filterQuestionsPerRunMax");
  return Array.from({ length: Math.ceil(questions.length / most) }, (_, run) => questions.slice(run * most, (run + 1) * most));
}

async function judgeTogether(
  tools: Pick<JailTools, "run">,
  tenant: string,
  questions: readonly FilterQuestion[],
): Promise<readonly Verdict[]> {
  const together = await ask(tools, tenant, questions);
  if (!(together instanceof PlinthError)) return together;
  if (questions.length === 1) return [together.code === "RunnerLost" ? await askAgain(tools, tenant, questions) : together];
  const verdicts: Verdict[] = [];
  for (const question of questions) {
    const last = verdicts.at(-1);
    // One that uses up its time would for each of the others.
    if (last instanceof PlinthError && EXHAUSTED.has(last.code)) verdicts.push(last);
    else verdicts.push(...(await judgeTogether(tools, tenant, [question])));
  }
  return verdicts;
}

/** The process may have been lost for another reason than the program. */
async function askAgain(tools: Pick<JailTools, "run">, tenant: string, questions: readonly FilterQuestion[]): Promise<Verdict> {
  const again = await ask(tools, tenant, questions);
  return again instanceof PlinthError ? again : (again[0] ?? noVerdict());
}

/** One run of a program: a verdict for each, or why it has none. Rejects when the platform fails. */
async function ask(
  tools: Pick<JailTools, "run">,
  tenant: string,
  questions: readonly FilterQuestion[],
): Promise<readonly Verdict[] | PlinthError> {
  const [first] = questions;
  if (first === undefined) return [];
  // Each payload once, however many users ask about it.
  const places = new Map([...new Set(questions.map(({ event }) => event))].map((event, place) => [event, place]));
  const program = `.payloads as $payloads | .questions[] | .user as $user | $payloads[.place] | [\n${first.filterJq}\n]`;
  const input = {
    payloads: [...places.keys()].map(({ payloadText }) => JSON.parse(payloadText) as unknown),
    questions: questions.map(({ event, user }) => ({ place: places.get(event) ?? 0, user: { id: user } })),
  };
  try {
    const values = valuesOf(await tools.run(tenant, "jq", { program, input, valuesMax: questions.length }));
    return values.length === questions.length ? values.map(verdictOf) : noVerdict();
  } catch (error) {
    if (error instanceof PlinthError && (error.spec.fault !== "platform" || error.code === "RunnerLost")) return error;
    throw error;
  }
}

function verdictOf(value: unknown): Verdict {
  if (!Array.isArray(value)) return noVerdict();
  const said: unknown = value[0];
  if (said === true) return "yes";
  return said === false || said === null || said === undefined ? "no" : noVerdict();
}

function valuesOf(result: unknown): readonly unknown[] {
  const values: unknown = typeof result === "object" && result !== null && "values" in result ? result.values : undefined;
  return Array.isArray(values) ? values : [];
}

function noVerdict(): PlinthError {
  return plinthError("ToolFailed", { tool: "The filter of the event source", detail: "it has to yield true or false." });
}
