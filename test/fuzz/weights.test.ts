// The short form of `npm run fuzz -- weights`: a few hundred damaged files for each reader.
import { fuzz } from './target';
import { targets } from './weights';

describe('readers of weights, fuzzed', function () {
  this.timeout(120_000);
  for (const [name, make] of Object.entries(targets)) {
    it(`${name}: 300 damaged inputs are read or refused`, async () => {
      const target = make();
      try {
        await fuzz(target, { inputs: 300, seed: 2020 });
      } finally {
        target.close?.();
      }
    });
  }
});
