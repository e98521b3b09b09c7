"use strict";

/** Work of the usual size: reads some fields of its event and answers with others. */
async function greet(events) {
  const { name, items } = events[0].payload;
  return { text: `Hello ${name}`, total: items.reduce((sum, { amount }) => sum + amount, 0), count: items.length };
}

exports.functionFactory = { greet };
