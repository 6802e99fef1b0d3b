// The base rate all along.
import { defineSchedule } from './schedule';

/** The base rate in every epoch. */
export const constant = defineSchedule({ name: 'constant', title: 'Constant', factor: () => 1 });
