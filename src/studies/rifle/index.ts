// The RIFLE study (Li et al., ICML 2020): importing it registers its scales and studies.
import './methods';
import './studies';

export { powerTable } from './design/power';
export { regimeFigure, regimeTable } from './design/regime';
export { ablationsTable, variantsTable } from './ablations';
export { ckaTable, distanceTable, gradientTable, lowLevelTable } from './figure-claims';
export { recoveriesOf, recoveryTable, type Recovery } from './recovery-table';
export { scales } from './scales';
export { architecturesTable, regularizersTable, tricksTable } from './study-tables';
