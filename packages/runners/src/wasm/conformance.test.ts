import { describeRunner, type FunctionOf } from "../conformance/suite.ts";
import { command, runnerCommand, writeModules } from "./test-modules.ts";

const NO_HOST_CALLS = "modules have no system behind them, and so no host calls";

/** `$number` reads the next number of the event from `$at` on. */
const NUMBERS = `
  (global $at (mut i32) (i32.const 4096))
  (func $digit (result i32) (i32.sub (i32.load8_u (global.get $at)) (i32.const 48)))
  (func $number (result i32) (local $value i32)
    (loop $search
      (global.set $at (i32.add (global.get $at) (i32.const 1)))
      (br_if $search (i32.ge_u (call $digit) (i32.const 10))))
    (loop $more
      (local.set $value (i32.add (i32.mul (local.get $value) (i32.const 10)) (call $digit)))
      (global.set $at (i32.add (global.get $at) (i32.const 1)))
      (br_if $more (i32.lt_u (call $digit) (i32.const 10))))
    (local.get $value))`;

const MODULES = {
  // The event is {"value":…}: the result is what stands between.
  echo: command(`(local $length i32)
    (local.set $length (call $read))
    (call $write (i32.const 1) (i32.const 4105) (i32.sub (local.get $length) (i32.const 10)))`),
  // {"message":"…"}
  fail: command(`(local $length i32)
    (local.set $length (call $read))
    (call $write (i32.const 2) (i32.const 4108) (i32.sub (local.get $length) (i32.const 14)))
    (call $proc_exit (i32.const 3))`),
  spin: command("(loop $for_ever (br $for_ever))"),
  fill: command(
    `(loop $more
      (if (i32.eq (memory.grow (i32.const 16)) (i32.const -1)) (then (unreachable)))
      (memory.fill (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 1048576)) (i32.const 1) (i32.const 1048576))
      (br $more))`,
    { pages: "1" },
  ),
  log: command(
    `(local $lines i32) (local $chars i32)
    (drop (call $read))
    (local.set $lines (call $number))
    (local.set $chars (call $number))
    (memory.fill (i32.const 8192) (i32.const 121) (local.get $chars))
    (i32.store8 (i32.add (i32.const 8192) (local.get $chars)) (i32.const 10))
    (loop $more
      (call $write (i32.const 2) (i32.const 8192) (i32.add (local.get $chars) (i32.const 1)))
      (local.set $lines (i32.sub (local.get $lines) (i32.const 1)))
      (br_if $more (local.get $lines)))`,
    { more: NUMBERS },
  ),
  mark: command(
    `(if (i32.or (global.get $mark) (i32.load (i32.const 1024)))
      (then (call $write (i32.const 1) (i32.const 2053) (i32.const 4)))
      (else (call $write (i32.const 1) (i32.const 2048) (i32.const 5))))
    (global.set $mark (i32.const 1))
    (i32.store (i32.const 1024) (i32.const 1))
    (drop (memory.grow (i32.const 1)))`,
    { more: '(global $mark (mut i32) (i32.const 0)) (data (i32.const 2048) "false") (data (i32.const 2053) "true")' },
  ),
};
const handler = (path: string): FunctionOf => ({ path, kind: "handler" });
const nothing = handler("echo");

describeRunner({
  name: "wasm",
  command: async () => runnerCommand(await writeModules(MODULES)),
  brokenCommand: async () => runnerCommand(await writeModules({ echo: Buffer.from("this is no WebAssembly") })),
  programs: async () =>
    Promise.resolve({
      script: JSON.stringify({ functions: Object.keys(MODULES) }),
      brokenScript: JSON.stringify({ functions: ["echo"] }),
      echo: handler("echo"),
      ask: nothing,
      askMany: nothing,
      fail: handler("fail"),
      spin: handler("spin"),
      spinAfterAsk: nothing,
      wait: nothing,
      fill: handler("fill"),
      log: handler("log"),
      mark: handler("mark"),
    }),
  gaps: {
    ask: NO_HOST_CALLS,
    askMany: NO_HOST_CALLS,
    spinAfterAsk: NO_HOST_CALLS,
    wait: "a module waits in poll_oneoff, until its time is over",
  },
});
