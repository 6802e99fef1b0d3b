// Parsers of numbers in flags, with their messages.
import { InvalidArgumentError } from 'commander';

/** A parser of whole numbers, written in digits alone. */
const whole =
  (pattern: RegExp, expected: string) =>
  (text: string): number => {
    if (!pattern.test(text)) throw new InvalidArgumentError(`Expected ${expected}.`);
    return Number(text);
  };

/** 0, 1, 2, ... */
export const wholeNumber = whole(/^\d+$/, 'a whole number');

/** 1, 2, 3, ... */
export const positiveNumber = whole(/^[1-9]\d*$/, 'a whole number from 1');
