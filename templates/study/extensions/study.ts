// The study: which runs test which claim. `npx rifle sweep --study {{name}}/cutout --scale smoke` makes them.
import { defineStudy } from 'rifle-kit';
import { cutoutMethod } from './cutout';

export const study = defineStudy({
  name: '{{name}}/cutout',
  title: 'Cutout and plain fine-tuning',
  claim: 'Cutout raises accuracy over plain fine-tuning.',
  methods: ['fine-tuning', cutoutMethod.name],
});
