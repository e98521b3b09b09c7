/** What is written about the routes of events. */
import { limit } from "@plinth/core/limits.ts";
import type { DeadLetter } from "../../events/events.ts";
import { json, jsonBody, type RouteDoc } from "../openapi/route-doc.ts";
import {
  always,
  anything,
  closed,
  flag,
  list,
  moment,
  named,
  open,
  orNull,
  text,
  whole,
  type Properties,
  type Schema,
} from "../openapi/schema.ts";

const EVENT: Properties = {
  id: text(),
  type: text("`custom:<type>` for events that were published here."),
  sourceId: orNull(text()),
  syncId: orNull(text("Group within which order holds.")),
  createdMs: moment(),
};

const DEAD_LETTER = {
  id: text(),
  snapInId: text(),
  automation: text(),
  attempts: whole(),
  diedMs: moment(),
  error: closed({ code: text(), message: text() }),
  invocation: orNull(text("The last invocation that tried.")),
} satisfies Record<Exclude<keyof DeadLetter, "event">, Schema>;

const PATH = { id: text("Id of the dead letter.") };

export const EVENT_DOCS = {
  publishEvent: {
    summary: "Publish an event to a source of a package",
    description:
      "To a source of the type `flow-events`, at once or later. A key that waits already is a conflict, unless it may be changed.",
    tag: "Events",
    body: jsonBody(
      open({
        snapIn: text("Id of the snap-in, or name of its package."),
        source: text("Id of the source, or its name."),
        type: text("1 to 128 visible ASCII characters.", { minLength: 1, maxLength: 128 }),
        "payload?": anything("What handlers get; `{}` when absent."),
        "syncId?": orNull(text("Group within which order holds.")),
        "publishAt?": orNull(text("When: `2030-01-31T09:30:00Z`.")),
        "key?": orNull(text("Name of what waits.")),
        "updateIfExists?": orNull(flag("Changes the one with the key that waits.")),
      }),
    ),
    answers: { 202: json(closed({ key: text() }), "The event is stored.") },
    errors: ["NotFound", "WrongState", "AlreadyExists", "LimitExceeded", "TooManyEventsWaiting"],
  },
  unscheduleEvent: {
    summary: "Take back an event that waits for its time",
    tag: "Events",
    query: { "snapIn!": text(), "source!": text(), "key!": text() },
    answers: { 200: json(closed({ key: text(), deleted: always(true) })) },
    errors: ["NotFound", "WrongState"],
  },
  listWaiting: {
    summary: "What waits to be delivered, and why",
    tag: "Events",
    answers: {
      200: json(
        closed({
          waiting: list(closed({ automation: text(), snapInId: text(), count: whole(), reason: text() })),
          events: closed({
            count: whole("Events whose last delivery has not ended."),
            max: whole("From so many on, triggers from outside are refused with TooManyEventsWaiting."),
          }),
        }),
      ),
    },
  },
  listDeadLetters: {
    summary: "List what could not be delivered",
    tag: "Events",
    query: {
      after: text("Id of the last one of the page before."),
      limit: whole(undefined, { minimum: 1, maximum: limit("deadLettersShownMax") }),
    },
    answers: { 200: json(closed({ deadLetters: list(named("DeadLetterSummary", closed({ ...DEAD_LETTER, event: closed(EVENT) }))) })) },
  },
  getDeadLetter: {
    summary: "Read a dead letter with its payload",
    tag: "Events",
    path: PATH,
    answers: {
      200: json(
        named(
          "DeadLetter",
          closed({ ...DEAD_LETTER, event: closed({ ...EVENT, payload: anything("What handlers got."), "key?": text() }) }),
        ),
      ),
    },
    errors: ["NotFound"],
  },
  replayDeadLetter: {
    summary: "Deliver a dead letter again",
    description: "Puts it behind what waits now.",
    tag: "Events",
    path: PATH,
    answers: { 202: json(closed({ id: text(), replayed: always(true) }), "It waits to be delivered.") },
    errors: ["NotFound", "TooManyEventsWaiting"],
  },
  discardDeadLetter: {
    summary: "Delete a dead letter",
    tag: "Events",
    path: PATH,
    answers: { 200: json(closed({ id: text(), deleted: always(true) })) },
    errors: ["NotFound"],
  },
} as const satisfies Record<string, RouteDoc>;
