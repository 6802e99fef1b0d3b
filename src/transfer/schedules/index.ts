// The schedules of the kit. To add one: its file, and one line here.
export { constant } from './constant';
export { cosine } from './cosine';
export { step } from './step';
