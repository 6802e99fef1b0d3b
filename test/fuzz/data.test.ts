// The short form of `npm run fuzz -- data`: a few hundred damaged files for each reader.
import { targets } from './data';
import { fuzz } from './target';

describe('readers of data, fuzzed', function () {
  this.timeout(120_000);
  for (const [name, make] of Object.entries(targets)) {
    it(`${name}: 300 damaged inputs are read or refused`, async () => {
      const target = await make();
      try {
        await fuzz(target, { inputs: 300, seed: 2020 });
      } finally {
        target.close?.();
      }
    });
  }
});
