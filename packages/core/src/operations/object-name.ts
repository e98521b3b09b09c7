/**
 * Names of objects: what one document of a table is called. `accounts` holds `account`s, `ticketComments` holds `ticket_comment`s.
 *
 * N1 The same tables have the same names, whatever their order.
 * N2 No two tables share a name: the table that is written like the name has it, the others keep their own words.
 */

/** Name of the object of each table. */
export function objectNames(tables: Iterable<string>): ReadonlyMap<string, string> {
  const sorted = [...tables].sort();
  const names = new Map<string, string>();
  const taken = new Set<string>();
  const give = (table: string, wanted: string): void => {
    let name = wanted;
    for (let i = 2; taken.has(name); i += 1) name = `${wanted}_${i}`;
    names.set(table, name);
    taken.add(name);
  };
  const owners = new Map<string, string[]>();
  for (const table of sorted) {
    const name = singular(words(table));
    owners.set(name, [...(owners.get(name) ?? []), table]);
  }
  const rest: string[] = [];
  for (const [name, [first, ...others]] of [...owners].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const all = first === undefined ? [] : [first, ...others];
    const owner = all.find((table) => table === name) ?? first;
    for (const table of all) {
      if (table === owner) give(table, name);
      else rest.push(table);
    }
  }
  for (const table of rest.sort()) give(table, words(table));
  return names;
}

/** Snake case. */
function words(table: string): string {
  return table
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replaceAll(/([A-Z]+)([A-Z][a-z])/g, "$1_$2")
    .toLowerCase();
}

const IRREGULAR: ReadonlyMap<string, string> = new Map([
  ["people", "person"],
  ["children", "child"],
  ["men", "man"],
  ["women", "woman"],
  ["indices", "index"],
  ["vertices", "vertex"],
  ["matrices", "matrix"],
  ["criteria", "criterion"],
  ["movies", "movie"],
  ["cookies", "cookie"],
  ["analyses", "analysis"],
  ["caches", "cache"],
  ["leaves", "leaf"],
  ["series", "series"],
  ["news", "news"],
  ["media", "media"],
  ["data", "data"],
  ["aliases", "alias"],
  ["buses", "bus"],
  ["statuses", "status"],
  ["campuses", "campus"],
  ["bonuses", "bonus"],
]);

/** The last word in the singular, by the rules of English that table names need. */
function singular(snake: string): string {
  const at = snake.lastIndexOf("_") + 1;
  const head = snake.slice(0, at);
  const word = snake.slice(at);
  return head + singularWord(word);
}

function singularWord(word: string): string {
  const known = IRREGULAR.get(word);
  if (known !== undefined) return known;
  if (word.length <= 3 || /(?:ss|us|is)$/.test(word)) return word;
  if (word.endsWith("ies")) return `${word.slice(0, -3)}y`;
  if (/(?:sses|shes|ches|xes|zzes)$/.test(word)) return word.slice(0, -2);
  return word.endsWith("s") ? word.slice(0, -1) : word;
}

/** `Ticket comment`: for titles. */
export function titleOf(name: string): string {
  const text = name.replaceAll("_", " ");
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
