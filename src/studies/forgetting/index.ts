// The study of later-layer forgetting (Zhou et al., ICLR 2022): importing it registers its methods and the study.
import './study';

export { forgettingTable } from './table';
