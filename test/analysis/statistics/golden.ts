// The golden values of the tests of claims, from scipy and statsmodels (data-scripts/golden/evidence.py).
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { packageRoot } from '../../../src/base/home';

export const golden = JSON.parse(
  fs.readFileSync(path.join(packageRoot(), 'test/fixtures/analysis/evidence.json'), 'utf8'),
) as {
  tTests: { values: number[]; value: number; p: number }[];
  holm: { p: number[]; adjusted: number[] }[];
  powers: { effect: number; n: number; level: number; power: number }[];
  sizes: { effect: number; n: number }[];
  detectable: { n: number; effect: number }[];
  pooled: {
    effects: number[];
    variances: number[];
    effect: number;
    between: number;
    standardError: number;
    interval: [number, number];
  }[];
  mcnemar: { table: [number, number, number, number]; p: number }[];
};

/** @param tolerance relative, absolute below 1. */
export function near(found: number, expected: number, tolerance = 1e-6): void {
  const isNear = Math.abs(found - expected) <= tolerance * Math.max(1, Math.abs(expected));
  assert.ok(isNear, `expected ${expected}, found ${found}`);
}
