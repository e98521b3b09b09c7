export interface Inputs {
  global_values: { urgent_words?: string[] };
}

export function urgentWords(text: string, { global_values }: Inputs): string[] {
  const words = new Set(text.toLowerCase().match(/\p{Letter}+/gu));
  return (global_values.urgent_words ?? []).filter((word) => words.has(word.toLowerCase()));
}
