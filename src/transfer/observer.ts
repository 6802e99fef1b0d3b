// An observer: a look at the variables during training. It cannot change a run, and is no part of its identity.
import { callSite, Registry } from '../base/definitions/registry';
import type { Program } from '../engine/compile';
import { valuesOf } from './compiled-steps';
import type { Moment } from './train-state';

/** What an observer sees. */
export interface Look {
  /** `start`, `epoch`, `before-reset` or `after-reset`. */
  moment: Moment;
  /** Epochs that are finished. */
  epoch: number;
  /**
   * Copies of the present values: parameters and statistics by name, and the optimizer's state (`momentum/<name>`).
   * Default: all of them.
   */
  values(names?: readonly string[]): Record<string, Float32Array>;
}

/** An observer as it is defined. */
export interface Observer {
  /** With a slash: `jdoe/head-norm`. */
  name: string;
  /** When it looks. Default: at the end of each epoch, before a reset. */
  moments?: readonly Moment[];
  /** Numbers by name, for the record of the run. */
  observe(look: Look): Record<string, number>;
}

/** One look of an observer, with its numbers. */
export type Observation = { observer: string; moment: Moment; epoch: number } & Record<string, string | number>;

/** All observers by name. */
export const observers = new Registry<Observer>('observer');

/**
 * Defines an observer. It looks at every run that is trained in this process afterwards, and in workers that load its
 * file. Its numbers are in the record of the run, as `observations`.
 * @throws KitError for a name without a slash, or one that another file has taken.
 */
export const defineObserver = (observer: Observer): Observer =>
  observers.add(observer.name, observer, callSite(defineObserver));

/** What the observers have seen of one run. */
export class Observations {
  /**
   * @param rows what was seen before the run was resumed; new looks are added.
   * @param onProblem receives one sentence for each look that failed.
   */
  constructor(
    readonly rows: Observation[],
    private readonly onProblem: (text: string) => void,
  ) {}

  /** Lets every observer look that wants this moment. */
  look(moment: Moment, epoch: number, read: Program<object>['read']): void {
    for (const { name, moments = ['epoch'], observe } of observers.list()) {
      if (!moments.includes(moment)) continue;
      try {
        const numbers = observe({ moment, epoch, values: (names) => valuesOf(read(names)) });
        const wrong = Object.entries(numbers).find(([, value]) => typeof value !== 'number');
        if (wrong !== undefined) throw new Error(`${wrong[0]} is not a number`);
        this.rows.push({ ...numbers, observer: name, moment, epoch });
      } catch (error) {
        this.onProblem(`The observer "${name}" failed after epoch ${epoch}: ${(error as Error).message}`);
      }
    }
  }
}
