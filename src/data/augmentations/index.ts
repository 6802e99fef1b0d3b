// The augmentations of the kit. To add one: its file, and one line here.
export { flipCrop } from './flip-crop';
export { noAugmentation } from './none';
