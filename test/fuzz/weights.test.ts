// The short form of `npm run fuzz -- weights`.
import { describeFuzz } from './target';
import { targets } from './weights';

describeFuzz('readers of weights, fuzzed', targets);
