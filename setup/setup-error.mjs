// The errors of the set-up.

/** A failure that the user can fix: `message` says what was expected and what was found, `fix` what to do. */
export class SetupError extends Error {
  /**
   * @param {string} message one or more sentences
   * @param {{fix?: string, output?: string[], cause?: unknown}} [options] `output`: the last lines that a program
   *   printed
   */
  constructor(message, { fix = '', output = [], cause } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'SetupError';
    this.fix = fix;
    this.output = output;
  }
}

/** The user pressed Ctrl-C, or the process was asked to end. */
export class Interrupted extends Error {}
