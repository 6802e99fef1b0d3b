// A command that submits a sweep, for the test that kills it: node ray-child.js URL RUNS SPECS.json
import fs from 'node:fs';
import { runOnRay } from '../../../src/runs/ray/ray-pool';
import type { RunSpec } from '../../../src/transfer/spec/spec';

const [url, runs, specs] = process.argv.slice(2);
void runOnRay(JSON.parse(fs.readFileSync(specs, 'utf8')) as RunSpec[], { url, runs, cpus: 1, every: 0.3 });
