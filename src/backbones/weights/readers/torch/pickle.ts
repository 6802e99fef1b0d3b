// Reads Python pickles as plain data. Nothing in them is executed.
import { KitError } from '../../../../base/errors';
import { Machine, type ByteSource, type PickleRules, type PickleValue } from './pickle-machine';
import { instructions } from './pickle-opcodes';

/**
 * Reads one pickle (protocols 2 to 5, without the opcodes that make arbitrary objects); `source` is then at its end.
 * Nothing in the pickle is executed: it can use only the names that `rules` allow.
 * @throws KitError for a name that is not allowed, an opcode that is not data, bytes that are not a pickle, or more
 *   memory than the budget of `rules`.
 */
export function readPickle(source: ByteSource, rules: PickleRules): PickleValue {
  const machine = new Machine(rules);
  while (!machine.stopped) {
    const code = source.take(1)[0];
    const instruction = instructions[code];
    if (instruction === undefined) {
      throw new KitError(
        `Opcode 0x${code.toString(16).padStart(2, '0')} of the pickle does not occur in plain weights.`,
        {
          code: 'PICKLE_OPCODE',
          fix: 'Save the weights alone, as `torch.save(model.state_dict(), path)` does.',
        },
      );
    }
    instruction(machine, source);
  }
  return machine.pop();
}
