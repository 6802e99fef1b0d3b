// The lines of the kit in the log of a job on Ray; all other lines are what programs print.
import { replyOf, type PoolNews, type PoolOutcome, type PoolReply } from '../pool/messages';

const MARK = '@rifle ';

/** News or an outcome as a line of a log. */
export const jobLine = (reply: PoolReply): string => `${MARK}${JSON.stringify(reply)}\n`;

/** Most characters of a line: what follows in a longer one is left out. */
const MOST_IN_LINE = 1_000_000;

/** A log that arrives in pieces. After a break the whole log arrives again: `restart`, and what was read is skipped. */
export class JobLog {
  private rest = '';
  private read = 0;
  private known = 0;

  constructor(private readonly onNews: (news: PoolNews) => void) {}

  /** Takes the next piece. */
  take(text: string): void {
    const lines = (this.rest + text).split('\n');
    this.rest = lines.pop()!.slice(0, MOST_IN_LINE);
    for (const line of lines) {
      if (this.read++ < this.known) continue;
      const reply = replyIn(line);
      if (reply !== null && 'news' in reply) this.onNews(reply.news);
    }
  }

  /** The log begins again. */
  restart(): void {
    this.known = Math.max(this.known, this.read);
    this.read = 0;
    this.rest = '';
  }
}

/** How the run ended, from its whole log; and the last line that is not of the kit. */
export function outcomeOf(log: string): { outcome: PoolOutcome | null; lastLine: string } {
  const lines = log.split('\n').filter((line) => line.trim() !== '');
  const outcomes = lines.map(replyIn).flatMap((reply) => (reply !== null && 'outcome' in reply ? [reply.outcome] : []));
  return {
    outcome: outcomes.at(-1) ?? null,
    lastLine:
      lines
        .filter((line) => !line.startsWith(MARK))
        .at(-1)
        ?.trim()
        .slice(0, 300) ?? '',
  };
}

/** The news or the outcome in a line; null where it has none, or another form. */
function replyIn(line: string): ReturnType<typeof replyOf> {
  if (!line.startsWith(MARK)) return null;
  try {
    return replyOf(JSON.parse(line.slice(MARK.length)));
  } catch {
    return null; // cut when a process was killed
  }
}
