// The list of steps, in the order in which they are done. Up to `build` they are plain Node; later ones may use the kit.
import addon from './steps/addon.mjs';
import build from './steps/build.mjs';
import kernel from './steps/kernel.mjs';
import library from './steps/library.mjs';
import link from './steps/link.mjs';
import { data, weights } from './steps/material.mjs';
import packages from './steps/packages.mjs';
import prerequisites from './steps/prerequisites.mjs';
import python, { ray } from './steps/python.mjs';
import shims from './steps/shims.mjs';

/**
 * @typedef {object} Step
 * @property {string} name     for `--only`
 * @property {string} title    shown in front of its line
 * @property {boolean} [optional]  done only where `--only` names it
 * @property {string} what     what it does, in a few words
 * @property {number | ((context: import('./run.mjs').Context) => number)} seconds  expected the first time; measured on
 *   2 cores (environment.md)
 * @property {'package' | 'home'} [writesTo]  the folder that takes what it makes, for the check of free space
 * @property {(context: import('./run.mjs').Context) => number} [bytes]  room that it needs there
 * @property {(context: import('./run.mjs').Context) => string | null} done  what is there already, or null: checked
 *   against the files, not remembered
 * @property {(context: import('./run.mjs').Context) => Promise<string>} run  does it and says what was made; leaves
 *   nothing half-made when it throws
 */

/** @type {Step[]} */
export const steps = [prerequisites, packages, shims, build, link, python, library, addon, kernel, weights, data, ray];

/** Steps that npm has done for a kit that is a package of a study. */
const DONE_BY_NPM = [packages, shims, build, link];

/** The steps for the kit at these places. */
export const stepsFor = ({ installed }) => (installed ? steps.filter((step) => !DONE_BY_NPM.includes(step)) : steps);
