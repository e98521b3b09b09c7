import { expect, test } from "vitest";
import type { KeyRange, Pin, Store, Timestamp } from "./store.ts";
import { bytes, LAST_KEY, pairs, point, put, stateAt, type TestPlace, text, write } from "./test-place.ts";

const DAY_MS = 86_400_000;

export interface PinsHost {
  place(): TestPlace;
  store(): Store;
  reopen(): Promise<void>;
}

/** The part of the contract that is about pins (S8). */
export function describeStorePins(host: PinsHost): void {
  let pins = 0;
  const within = (start: string, end: string): KeyRange => ({ start: bytes(start), end: bytes(end) });
  const pinOf = (range: KeyRange, at: Timestamp): Pin => ({ id: bytes(`pin ${pins++}`), range, at });
  const make = async (...made: Pin[]): Promise<void> => {
    await host.store().commit({ writes: [put("pins", `${made.length}`)], pins: { made, ended: [] } });
  };
  const end = async (...pins: Pin[]): Promise<void> => {
    await host.store().commit({ writes: [], pins: { made: [], ended: pins.map(({ id }) => id) } });
  };
  const age = async (): Promise<number> => {
    host.place().clockOffsetMs += 2 * DAY_MS;
    await write(host.store(), put("z", `${host.place().clockOffsetMs}`));
    host.place().clockOffsetMs += 2 * DAY_MS;
    return (await host.store().collect()).removed;
  };
  const stateWithin = async (range: KeyRange, at: Timestamp): Promise<string[]> => {
    const snapshot = await host.store().snapshot(at, range);
    try {
      const ascending = pairs(await snapshot.range({ ...range, order: "asc", limit: 10_000 }));
      const descending = pairs(await snapshot.range({ ...range, order: "desc", limit: 10_000 }));
      expect(descending.toReversed()).toEqual(ascending);
      return ascending;
    } finally {
      snapshot.release();
    }
  };
  const refused = async (range: KeyRange, at: Timestamp): Promise<void> => {
    await expect(host.store().snapshot(at, range)).rejects.toMatchObject({ code: "SnapshotTooOld" });
  };

  test("S8 the moment of a pin stays readable in its range over collections and restarts, and nothing else does", async () => {
    await write(host.store(), put("a", "0"), put("m1", "0"), put("m2", "0"), put("m3", "0"));
    await write(host.store(), put("a", "1"), put("m1", "1"));
    const at = await write(host.store(), put("m3", null), put("n", "1"));
    const pin = pinOf(within("m", "n"), at);
    await make(pin);
    for (const value of ["2", "3"])
      await write(host.store(), put("a", value), put("m1", value), put("m2", null), put("m3", value), put("m4", value));
    // a: 3, m1: 2 of 3, m3: 2, m4: 1, pins: none; of m1 and m2 the value at the moment stays.
    expect(await age()).toBe(3 + 2 + 2 + 1);
    expect(await age()).toBe(1);
    for (let round = 0; round < 2; round++) {
      expect(await stateWithin(within("m", "n"), at)).toEqual(["m1=1", "m2=0"]);
      expect(await stateWithin(within("m1", "m2"), at)).toEqual(["m1=1"]);
      await refused(within("l", "n"), at);
      await refused(within("m", "n "), at);
      await refused(within("m", "n"), at - 1);
      await expect(host.store().snapshot(at)).rejects.toMatchObject({ code: "SnapshotTooOld" });
      await host.reopen();
    }
    expect((await stateAt(host.store())).slice(0, 4)).toEqual(["a=3", "m1=3", "m3=3", "m4=3"]);
  });

  test("S8 a pin that ended holds until its end leaves the retention, then everything that only it kept goes", async () => {
    const keys = Array.from({ length: 1500 }, (_, i) => `m${10_000 + i}`);
    const at = await write(host.store(), ...keys.map((key) => put(key, "1")));
    const later = await write(host.store(), put("m10000", "2"));
    const pins = [pinOf(within("m", "n"), at), pinOf(within("m", "n"), later), pinOf(within("m10001", "m10003"), at)];
    await make(...pins);
    await write(host.store(), ...keys.map((key) => put(key, null)));
    expect(await age()).toBe(0);
    const [first, second, third] = pins as [Pin, Pin, Pin];
    await end(first);
    await host.store().collect();
    expect(await stateWithin(within("m", "n"), at)).toHaveLength(1500);
    await host.reopen();
    expect(await stateWithin(within("m", "n"), at)).toHaveLength(1500);
    // Only the first value of the first key is needed by no other pin.
    expect(await age()).toBe(1 + 1);
    await refused(within("m", "n"), at);
    expect(await stateWithin(within("m10001", "m10003"), at)).toEqual(["m10001=1", "m10002=1"]);
    expect((await stateWithin(within("m", "n"), later))[0]).toBe("m10000=2");
    await end(second, second);
    expect(await age()).toBe(1500 - 2 + 1);
    expect(await stateWithin(within("m10001", "m10003"), at)).toEqual(["m10001=1", "m10002=1"]);
    await host.reopen();
    await end(third);
    expect(await age()).toBe(2 + 1);
    expect(await age()).toBe(1);
  });

  test("S8 a snapshot of a pinned moment keeps what it reads when the pin ends, and no history from before it was taken", async () => {
    const at = await write(host.store(), put("m", "1"));
    const pin = pinOf(within("m", "n"), at);
    await make(pin);
    await write(host.store(), put("m", "2"), put("other", "1"));
    await write(host.store(), put("other", "2"));
    const snapshot = await host.store().snapshot(at, pin.range);
    await end(pin);
    await write(host.store(), put("other", "3"));
    // The first value of `other`: it was replaced before the snapshot was taken, though after the moment that it shows.
    expect(await age()).toBe(1);
    expect(await age()).toBe(0);
    expect(text(await snapshot.get(bytes("m")))).toBe("1");
    snapshot.release();
    expect(await age()).toBe(1 + 1 + 2);
    await refused(pin.range, at);
  });

  test("S8 a pin and the writes of its batch come together or not at all, and a moment that is gone cannot be pinned", async () => {
    const at = await write(host.store(), put("m", "1"));
    const changed = await write(host.store(), put("m", "2"));
    const conflicting = pinOf(within("m", "n"), at);
    const result = await host.store().commit({
      writes: [put("x", "1")],
      reads: { at, ranges: [point("m")] },
      pins: { made: [conflicting], ended: [] },
    });
    expect(result.kind).toBe("conflict");
    await age();
    await refused(within("m", "n"), at);
    await expect(make(pinOf({ start: bytes("m"), end: LAST_KEY }, at))).rejects.toMatchObject({ code: "SnapshotTooOld" });
    await expect(make(pinOf({ start: bytes("m"), end: LAST_KEY }, changed * 10))).rejects.toMatchObject({ code: "SnapshotTooOld" });
    expect((await stateAt(host.store())).slice(0, 1)).toEqual(["m=2"]);
  });

  test("S8 a pin makes another one of its moment possible, however old it is", async () => {
    const at = await write(host.store(), put("m", "1"));
    const first = pinOf(within("m", "n"), at);
    await make(first);
    await write(host.store(), put("m", "2"));
    await age();
    const second = pinOf(within("m", "n"), at);
    await make(second);
    await end(first);
    await age();
    await age();
    expect(await stateWithin(within("m", "n"), at)).toEqual(["m=1"]);
  });
}
