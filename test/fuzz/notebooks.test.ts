// The short form of `npm run fuzz -- notebooks`.
import { targets } from './notebooks';
import { describeFuzz } from './target';

describeFuzz('readers of notebooks and their messages, fuzzed', targets);
