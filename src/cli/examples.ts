// The examples at the end of a command's help.

/** The examples of a command: each a command line without `npx`. */
export const examples = (...lines: readonly string[]): string =>
  `\nExample${lines.length > 1 ? 's' : ''}:\n${lines.map((line) => `  $ npx ${line}`).join('\n')}`;
