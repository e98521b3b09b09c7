/**
 * Everything in ECMAScript that reads a clock, bound to the clock of the call: `Date`, the defaults of
 * `Intl`, and `Temporal.Now`. All lazy, because few functions touch them.
 */
import { defineLazily, defineProperty, getOwnPropertyDescriptor, NativeDate } from "./realm.ts";
import { nowMs } from "./session.ts";

export function installClock(): void {
  defineLazily(globalThis, "Date", makeDate);
  lazilyPatch("Intl", patchIntl);
  lazilyPatch("Temporal", patchTemporal);
}

/** Replaces a global by itself, changed at its first touch. */
function lazilyPatch(name: "Intl" | "Temporal", patch: (value: object) => void): void {
  const native = getOwnPropertyDescriptor(globalThis, name);
  defineLazily(globalThis, name, () => {
    const value: unknown = native?.get === undefined ? native?.value : native.get.call(globalThis);
    if (typeof value === "object" && value !== null) patch(value);
    return value;
  });
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
function patchIntl(intl: object): void {
  const { DateTimeFormat } = intl as typeof Intl;
  const prototype = DateTimeFormat.prototype;
  const nativeFormat = getOwnPropertyDescriptor(prototype, "format")?.get;
  const nativeParts = prototype.formatToParts;
  if (nativeFormat === undefined) return;
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
}

interface TemporalParts {
  readonly Now: object;
  readonly Instant: { fromEpochMilliseconds(ms: number): { toZonedDateTimeISO(zone: unknown): ZonedDateTime } };
}

interface ZonedDateTime {
  toPlainDateTime(): unknown;
  toPlainDate(): unknown;
  toPlainTime(): unknown;
}

function patchTemporal(temporal: object): void {
  const { Now, Instant } = temporal as TemporalParts;
  const fromEpoch = Instant.fromEpochMilliseconds.bind(Instant);
  const instant = () => fromEpoch(Math.trunc(nowMs()));
  const zoned = (zone: unknown) => instant().toZonedDateTimeISO(zone === undefined ? "UTC" : zone);
  const now: Record<string, (zone?: unknown) => unknown> = {
    instant: () => instant(),
    timeZoneId: () => "UTC",
    zonedDateTimeISO: zoned,
    plainDateTimeISO: (zone) => zoned(zone).toPlainDateTime(),
    plainDateISO: (zone) => zoned(zone).toPlainDate(),
    plainTimeISO: (zone) => zoned(zone).toPlainTime(),
  };
  // What an engine adds later stays out until it is written above.
  for (const name of Object.getOwnPropertyNames(Now)) {
    const value = now[name];
    if (value === undefined) Reflect.deleteProperty(Now, name);
    else defineProperty(Now, name, { value, writable: true, configurable: true, enumerable: false });
  }
}
