exports.functionFactory = { go: async () => null };
