// The short form of `npm run fuzz -- data`.
import { targets } from './data';
import { describeFuzz } from './target';

describeFuzz('readers of data, fuzzed', targets);
