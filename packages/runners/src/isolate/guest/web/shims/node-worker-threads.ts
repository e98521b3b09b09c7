/** Objects of undici's classes cannot be cloned anyway. */
export function markAsUncloneable(): void {}
