/** Nothing of Node is here. */
export const runtimeFeatures = { has: (): boolean => false };
