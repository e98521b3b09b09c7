/**
 * Everything in ECMAScript that reads a clock, bound to the clock of the call: `Date`, the defaults of
 * `Intl`, and `Temporal.Now`. All lazy, because few functions touch them.
 */
import { defineProperty, getOwnPropertyDescriptor, NativeDate } from "./realm.ts";
import { nowMs } from "./session.ts";

export function addClockGlobals(makers: Record<string, () => unknown>): void {
  const intl = Intl;
  makers["Date"] = makeDate;
  makers["Intl"] = () => patchIntl(intl);
  // The engine makes Temporal when its property is read, which takes 200 µs; deleting it does not.
  makers["Temporal"] = makeTemporal;
}

function makeDate(): DateConstructor {
  const construct = Reflect.construct;
  function PlinthDate(this: unknown, ...args: unknown[]): unknown {
    if (new.target === undefined) return new NativeDate(nowMs()).toString();
    return construct(NativeDate, args.length === 0 ? [nowMs()] : args, new.target);
  }
  const date = PlinthDate as unknown as DateConstructor;
  const set = (name: string, value: unknown, writable: boolean): void => {
    defineProperty(date, name, { value, writable, configurable: writable, enumerable: false });
  };
  set("prototype", NativeDate.prototype, false);
  defineProperty(date, "name", { value: "Date", configurable: true });
  defineProperty(date, "length", { value: 7, configurable: true });
  set("UTC", NativeDate.UTC, true);
  set("parse", NativeDate.parse, true);
  set("now", { now: () => Math.trunc(nowMs()) }.now, true);
  defineProperty(NativeDate.prototype, "constructor", { value: date, writable: true, configurable: true, enumerable: false });
  return date;
}

/** `format()` and `formatToParts()` without a date mean the present moment. */
function patchIntl(intl: typeof Intl): typeof Intl {
  const { DateTimeFormat } = intl;
  const prototype = DateTimeFormat.prototype;
  const nativeFormat = getOwnPropertyDescriptor(prototype, "format")?.get;
  const nativeParts = prototype.formatToParts;
  if (nativeFormat === undefined) return intl;
  const bound = new WeakMap<Intl.DateTimeFormat, (date?: Date | number) => string>();
  defineProperty(prototype, "format", {
    configurable: true,
    enumerable: false,
    get(this: Intl.DateTimeFormat) {
      let format = bound.get(this);
      if (format === undefined) {
        const native = nativeFormat.call(this) as (date: Date | number) => string;
        format = (date) => native(date ?? nowMs());
        bound.set(this, format);
      }
      return format;
    },
  });
  defineProperty(prototype, "formatToParts", {
    configurable: true,
    enumerable: false,
    writable: true,
    value: {
      formatToParts(this: Intl.DateTimeFormat, date?: Date | number) {
        return nativeParts.call(this, date ?? nowMs());
      },
    }.formatToParts,
  });
  return intl;
}

interface Zoned {
  readonly constructor: unknown;
  toPlainDateTime(): { readonly constructor: unknown };
  toPlainDate(): { readonly constructor: unknown; toPlainYearMonth(): object; toPlainMonthDay(): object };
  toPlainTime(): { readonly constructor: unknown };
  since(other: Zoned): object;
}

interface Instant {
  readonly constructor: { fromEpochMilliseconds(ms: number): Instant };
  toZonedDateTimeISO(zone: unknown): Zoned;
}

/**
 * Temporal with another `Now`. The engine's own object, which holds the real clock, is gone; its classes
 * are reached through a date. What an engine adds later stays out until it is written here.
 */
function makeTemporal(): object {
  const first = (new NativeDate(0) as unknown as { toTemporalInstant(): Instant }).toTemporalInstant();
  const instantClass = first.constructor;
  const zonedFirst = first.toZonedDateTimeISO("UTC");
  const dateFirst = zonedFirst.toPlainDate();
  const instant = () => instantClass.fromEpochMilliseconds(Math.trunc(nowMs()));
  const zoned = (zone: unknown) => instant().toZonedDateTimeISO(zone === undefined ? "UTC" : zone);
  return namespace("Temporal", {
    Instant: instantClass,
    ZonedDateTime: zonedFirst.constructor,
    PlainDateTime: zonedFirst.toPlainDateTime().constructor,
    PlainDate: dateFirst.constructor,
    PlainTime: zonedFirst.toPlainTime().constructor,
    PlainYearMonth: dateFirst.toPlainYearMonth().constructor,
    PlainMonthDay: dateFirst.toPlainMonthDay().constructor,
    Duration: zonedFirst.since(zonedFirst).constructor,
    Now: namespace("Temporal.Now", {
      instant: () => instant(),
      timeZoneId: () => "UTC",
      zonedDateTimeISO: (zone?: unknown) => zoned(zone),
      plainDateTimeISO: (zone?: unknown) => zoned(zone).toPlainDateTime(),
      plainDateISO: (zone?: unknown) => zoned(zone).toPlainDate(),
      plainTimeISO: (zone?: unknown) => zoned(zone).toPlainTime(),
    }),
  });
}

function namespace(tag: string, members: Readonly<Record<string, unknown>>): object {
  const made = {};
  for (const name of Object.keys(members))
    defineProperty(made, name, { value: members[name], writable: true, configurable: true, enumerable: false });
  defineProperty(made, Symbol.toStringTag, { value: tag, configurable: true });
  return made;
}
