// The short form of `npm run fuzz -- store`.
import { targets } from './store';
import { describeFuzz } from './target';

describeFuzz('readers of a store of runs, fuzzed', targets);
