// The variables of the process that a program does not have: a recorded function must leave them as they are.
import { KitError } from '../../base/errors';
import { quotedList } from '../../base/visible';
import { tf, type TF } from '../tensorflow';

/** A variable and its value before a function ran. */
export interface VariableBefore {
  name: string;
  variable: TF.Variable;
  kept: TF.Tensor;
}

/** Every variable of the process that the program does not list. */
export function unlisted(named: Record<string, TF.Variable>): VariableBefore[] {
  const listed = new Set(Object.values(named));
  return Object.entries(tf.engine().state.registeredVariables)
    .filter(([, variable]) => !listed.has(variable))
    .map(([name, variable]) => ({ name, variable, kept: variable.clone() }));
}

/** @throws KitError when the function created a variable, or assigned to one that the program does not list. */
export function refuseVariables(title: string, named: Record<string, TF.Variable>, outside: VariableBefore[]): void {
  const known = new Set([...Object.values(named), ...outside.map(({ variable }) => variable)]);
  const created = Object.values(tf.engine().state.registeredVariables).filter((variable) => !known.has(variable));
  const names = created.map((variable) => variable.name);
  for (const variable of created) variable.dispose();
  if (names.length > 0) {
    throw new KitError(`The compiled function "${title}" creates the variable ${quotedList(names, 3)}.`, {
      code: 'COMPILE_CREATES_VARIABLE',
      fix:
        'Create every variable before and list it in `variables`. For an optimizer of tfjs, list ' +
        '`...Object.values(optimizerVariables(optimizer, variables))` too.',
    });
  }
  const assigned = outside.find(({ variable, kept }) => variable.dataId !== kept.dataId);
  if (assigned !== undefined)
    throw new KitError(
      `The compiled function "${title}" assigns to the variable ${assigned.name}, which the program does not have.`,
      {
        code: 'COMPILE_UNLISTED_VARIABLE',
        fix: 'List it in `variables`; those of an optimizer of tfjs are `optimizerVariables(optimizer, variables)`.',
      },
    );
}
