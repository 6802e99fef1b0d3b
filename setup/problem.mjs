// The one error class of the set-up: what is wrong, and how to mend it.

/** A failure that the user can mend: `message` says what was expected and what was found, `fix` what to do. */
export class Problem extends Error {
  /**
   * @param {string} message full prose
   * @param {{fix?: string, output?: string[], cause?: unknown}} [options] `output`: the last lines that a program
   *   printed
   */
  constructor(message, { fix = '', output = [], cause } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'Problem';
    this.fix = fix;
    this.output = output;
  }
}

/** The user pressed Ctrl-C, or the process was asked to end. */
export class Interrupted extends Error {}
