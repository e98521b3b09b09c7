/** What a push says about indexes: their names, or how many they are when names would hide everything else. */
const A_FEW = 8;

export function changedIndexes({
  indexesAdded,
  indexesRemoved,
}: {
  readonly indexesAdded: readonly string[];
  readonly indexesRemoved: readonly string[];
}): readonly string[] {
  return [...linesOf("added", indexesAdded), ...linesOf("removed", indexesRemoved)];
}

function linesOf(verb: string, names: readonly string[]): readonly string[] {
  if (names.length > A_FEW) return [`${names.length} indexes ${verb}`];
  return names.map((name) => `index ${verb}: ${name}`);
}
