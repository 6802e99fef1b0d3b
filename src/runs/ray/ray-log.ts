// The lines in the log of a job on Ray that tell how its run goes; everything else in the log is what programs print.
import type { PoolNews, PoolOutcome, PoolReply } from '../pool/pool-process';

const MARK = '@rifle ';

/** A line that tells it. */
export const jobLine = (reply: PoolReply): string => `${MARK}${JSON.stringify(reply)}\n`;

const isOutcome = (reply: PoolReply): reply is PoolOutcome =>
  'id' in reply || 'busy' in reply || 'stopped' in reply || 'error' in reply;

/**
 * A log as it comes, in pieces. After a break the whole log comes again: `restart`, and what was read before is passed
 * over.
 */
export class JobLog {
  private rest = '';
  private read = 0;
  private known = 0;

  constructor(private readonly onNews: (news: PoolNews) => void) {}

  /** Takes the next piece. */
  take(text: string): void {
    const lines = (this.rest + text).split('\n');
    this.rest = lines.pop()!;
    for (const line of lines) {
      if (this.read++ < this.known) continue;
      const reply = replyIn(line);
      if (reply !== null && !isOutcome(reply)) this.onNews(reply);
    }
  }

  /** The log begins again. */
  restart(): void {
    this.known = Math.max(this.known, this.read);
    this.read = 0;
    this.rest = '';
  }
}

/** How the run ended, as its whole log tells; and the last line that is none of ours. */
export function outcomeOf(log: string): { outcome: PoolOutcome | null; lastWords: string } {
  const lines = log.split('\n').filter((line) => line.trim() !== '');
  const outcome = lines
    .map(replyIn)
    .filter((reply): reply is PoolOutcome => reply !== null && isOutcome(reply))
    .at(-1);
  return {
    outcome: outcome ?? null,
    lastWords:
      lines
        .filter((line) => !line.startsWith(MARK))
        .at(-1)
        ?.trim()
        .slice(0, 300) ?? '',
  };
}

function replyIn(line: string): PoolReply | null {
  if (!line.startsWith(MARK)) return null;
  try {
    return JSON.parse(line.slice(MARK.length)) as PoolReply;
  } catch {
    return null; // the end of what a killed process printed
  }
}
