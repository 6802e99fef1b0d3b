// TypeScript's messages in a cell, with a fix where TypeScript gives none.
import type { Diagnostic } from './compiler/converter';

/** The fix for a message, by TypeScript's number; `null` when there is none. */
const ADVICE: Record<number, (message: string) => string | null> = {
  // Cannot find module
  2307: (message) => {
    const name = /'([^']+)'/.exec(message)?.[1] ?? '';
    if (/^(?:\.|\/|node:)/.test(name)) return null;
    const packageName = name
      .split('/')
      .slice(0, name.startsWith('@') ? 2 : 1)
      .join('/');
    const call = `import { install } from 'rifle-kit'; await install('${packageName}');`;
    return `Install it by a cell before this one: ${call}`;
  },
  // Parameter implicitly has an 'any' type
  7006: () => 'Name its type, or set "strict": false in a tsconfig.json beside the notebook.',
  // 'await' in a function that is not async
  1308: () => 'Write `async` before the function, or move the `await` to the top of the cell.',
};

/** The text of a message, with its number. */
export function explain({ code, messageText }: Diagnostic): string {
  const advice = ADVICE[code]?.(messageText) ?? null;
  return `TS${code}: ${messageText}${advice === null ? '' : `\n${advice}`}`;
}
