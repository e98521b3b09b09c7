"use strict";

exports.functionFactory = { on_activate: async () => ({ inputs_values: { amount: 4 } }) };
