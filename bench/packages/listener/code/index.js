exports.functionFactory = {
  tell: async ([event]) => {
    const startedMs = performance.timeOrigin + performance.now();
    const { timestamp, thing_updated: change } = event.payload;
    const body = JSON.stringify({ startedMs, madeMs: Date.parse(timestamp), id: change.id, rank: change.thing.rank });
    await fetch("http://127.0.0.1:PORT/", { method: "POST", body });
    return null;
  },
};
