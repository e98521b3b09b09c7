/** Loaded into a host before everything else: its clock is ahead by PLINTH_TEST_CLOCK_AHEAD_MS, as if it had been off for so long. */
const aheadMs = Number(process.env.PLINTH_TEST_CLOCK_AHEAD_MS ?? "0");
const now = Date.now.bind(Date);
Date.now = () => now() + aheadMs;
