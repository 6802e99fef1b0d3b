// The reset policies of the kit. To add one: its file, and one line here.
export { layersReset } from './layers';
export { rifleReset } from './rifle';
