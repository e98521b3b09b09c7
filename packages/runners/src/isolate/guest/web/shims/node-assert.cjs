/** `node:assert` as undici uses it: a function. */
module.exports = function assert(condition, message) {
  if (!condition) throw new Error(message ?? "an assertion failed");
};
