// The list of steps in order. Up to `build` they are plain Node; later ones may use the compiled kit.
import addon from './steps/addon.mjs';
import build from './steps/build.mjs';
import kernel from './steps/kernel.mjs';
import library from './steps/library.mjs';
import link from './steps/link.mjs';
import { data, weights } from './steps/default-files.mjs';
import packages from './steps/packages.mjs';
import prerequisites from './steps/prerequisites.mjs';
import python, { ray } from './steps/python.mjs';
import shims from './steps/shims.mjs';

/**
 * @typedef {object} Step
 * @property {string} name     for `--only`
 * @property {string} title    shown in front of its line
 * @property {boolean} [optional]  run only if `--only` names it
 * @property {string} what     what it does, in a few words
 * @property {number | ((context: import('./run.mjs').Context) => number)} seconds  expected for the first run; measured
 *   on 2 cores (environment.md)
 * @property {'package' | 'home'} [writesTo]  the folder that it writes to, for the check of free space
 * @property {(context: import('./run.mjs').Context) => number} [bytes]  bytes that it needs there
 * @property {(context: import('./run.mjs').Context) => string | null} done  what it has made, or null;
 *   checked against the files
 * @property {(context: import('./run.mjs').Context) => Promise<string>} run  runs it; returns what was made.
 *   When it throws, no unfinished file remains
 */

/** @type {Step[]} */
export const steps = [prerequisites, packages, shims, build, link, python, library, addon, kernel, weights, data, ray];

/** Steps that are not needed where npm has installed the kit as a package. */
const DONE_BY_NPM = [packages, shims, build, link];

/** The steps for a clone, or for an installed package. */
export const stepsFor = ({ installed }) => (installed ? steps.filter((step) => !DONE_BY_NPM.includes(step)) : steps);
