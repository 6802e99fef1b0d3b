// The RIFLE study (Li et al., ICML 2020): importing it registers its scales and studies.
import './studies';

export { ablationsTable, variantsTable } from './ablations';
export { ckaClaims, ckaTable, distanceClaims, distanceTable } from './figure-claims';
export { gradientClaims, gradientTable, lowLevelClaims, lowLevelTable } from './figure-claims';
export { recoveriesOf, recoveryTable, type Recovery } from './recovery-table';
export { scales } from './scales';
export { architecturesTable, regularizersTable, tricksTable } from './study-tables';
