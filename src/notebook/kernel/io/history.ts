// The cells that were run, as consoles ask for them.

/** One run of a cell: number in its prompt, source, and the text of its result where there is one. */
interface HistoryEntry {
  number: number;
  source: string;
  result: string | null;
}

/** Most entries that are kept. */
const MOST = 1000;
/** Most characters of a result that are kept. */
const LONGEST = 1000;

/** The history of one kernel, which is Jupyter's session 0. */
export class History {
  private readonly entries: HistoryEntry[] = [];

  /** Adds a cell that was counted. */
  add(number: number, source: string): void {
    this.entries.push({ number, source, result: null });
    if (this.entries.length > MOST) this.entries.shift();
  }

  /** Adds the result of the last cell. */
  addResult(text: unknown): void {
    const last = this.entries.at(-1);
    if (last !== undefined && typeof text === 'string') last.result = text.slice(0, LONGEST);
  }

  /** The content of a history_reply to a request with this content. */
  answer(request: Record<string, unknown>): { history: unknown[] } {
    const found = this.find(request).map(({ number, source, result }) => [
      0,
      number,
      request.output === true ? [source, result] : source,
    ]);
    return { history: found };
  }

  private find({ hist_access_type: type, n, pattern, unique, start, stop }: Record<string, unknown>): HistoryEntry[] {
    const last = (entries: HistoryEntry[]): HistoryEntry[] =>
      typeof n === 'number' ? (n > 0 ? entries.slice(-n) : []) : entries;
    if (type === 'range') {
      const [from, to] = [Number(start ?? 0), Number(stop ?? Infinity)];
      return this.entries.filter(({ number }) => number >= from && number < to);
    }
    if (type !== 'search') return last(this.entries);
    const matches = matcher(typeof pattern === 'string' ? pattern : '*');
    const found = this.entries.filter(({ source }) => matches(source));
    const latest = new Map(found.map((entry) => [entry.source, entry]));
    return last(unique === true ? found.filter((entry) => latest.get(entry.source) === entry) : found);
  }
}

/** Whether a text matches a pattern in which `*` stands for any text and `?` for any character. */
function matcher(pattern: string): (text: string) => boolean {
  return (text) => {
    // Greedy, from star to star: a regular expression of many stars could take exponential time.
    let [at, i, star, mark] = [0, 0, -1, 0];
    while (i < text.length) {
      if (pattern[at] === '*') [star, mark] = [at++, i];
      else if (pattern[at] === '?' || (at < pattern.length && pattern[at] === text[i])) (at++, i++);
      else if (star >= 0) [at, i] = [star + 1, ++mark];
      else return false;
    }
    while (pattern[at] === '*') at++;
    return at === pattern.length;
  };
}
