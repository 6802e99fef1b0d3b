// Defines backbones: the kit's own families, and those of studies. One definition for each id.
import { callSite, Registry, type Origin } from '../base/definitions/registry';
import { KitError } from '../base/errors';
import { quoted } from '../base/visible';
import type { Network } from './layers';
import { countTrainable } from './parameters';
import type { BackboneRecord } from './record';
import { shapeText, type StateDict } from './weights/readers/state-dict';
import type { WeightsFormat } from './weights/store';

/** A backbone that the kit can build: its record, and its network with a head for `classes`. */
export interface BackboneDefinition {
  /** Its `id` is the name of the backbone. Outside the kit it has a slash: `jdoe/squeezenet1_1`. */
  record: BackboneRecord;
  /** From 1. Raise it whenever the network computes other numbers: it is part of a run's identity. */
  version: number;
  build(classes: number): Network;
  /**
   * The tensors of a file as the network names and counts them, where some format has it otherwise. Default: as they
   * are.
   */
  adapt?(tensors: StateDict, format: WeightsFormat | null): StateDict;
}

const registry = new Registry<BackboneDefinition>('backbone', 'BACKBONE_DEFINED_TWICE');

/** Classes of ImageNet, for which a record counts the parameters. */
const imageNetClasses = 1000;

/**
 * Defines a backbone, so that `backbones` knows it by the id of its record. A second definition from the same file or
 * cell replaces it.
 * @returns the definition.
 * @throws KitError when the id has no slash, is defined in another file, or the definition contradicts itself: stages
 *   that are named twice, a head that is not at the end, another number of parameters than the record says.
 */
export function defineBackbone(definition: BackboneDefinition): BackboneDefinition {
  const { id } = definition.record;
  if (!/^[\w.-]+\/[\w.-]+$/.test(id))
    throw new KitError(`The backbone ${quoted(id)} has no name of the form "author/network".`, {
      code: 'BACKBONE_NAME',
      fix: "Put your own name and a slash before it: names without a slash are the kit's.",
    });
  checkDefinition(definition);
  return registerBackbone(definition, callSite(defineBackbone));
}

/** Adds a definition without checks: the kit's own ones, which tests check. @throws KitError when the id is taken. */
export const registerBackbone = (definition: BackboneDefinition, origin: Origin): BackboneDefinition =>
  registry.add(definition.record.id, definition, origin);

/** Every backbone that is defined, in the order of definition. */
export const definedBackbones = (): readonly BackboneDefinition[] => registry.list();

/** The definition of `id`. @throws KitError with near names, and for a name with a slash the files that are loaded. */
export const requireBackbone = (id: string): BackboneDefinition => registry.get(id);

/** @throws KitError when the record and the network of a definition contradict each other. */
export function checkDefinition({ record, version, build }: BackboneDefinition): void {
  const { id, taps, head, featureSize, parameters: counted } = record;
  const refuse = (what: string, fix: string) =>
    new KitError(`The definition of the backbone ${id} contradicts itself: ${what}.`, {
      code: 'BACKBONE_DEFINITION',
      fix,
    });
  if (!Number.isSafeInteger(version) || version < 1)
    throw refuse(`its version is ${version}`, 'Give a whole number from 1.');
  if (taps.length === 0 || new Set(taps).size !== taps.length)
    throw refuse('its stages have no names, or two have the same', 'Name each stage once in `taps`.');
  const network = build(imageNetClasses);
  const names = [...network.parameters.keys()];
  if (names.at(-2) !== head.weight || names.at(-1) !== head.bias)
    throw refuse(
      `its last parameters are ${names.slice(-2).join(' and ')}, and its head is ${head.weight} and ${head.bias}`,
      'Make the head last, and name its parameters in `record.head`.',
    );
  const { shape } = network.head.weight;
  if (shape.length !== 2 || shape[0] !== featureSize || shape[1] !== imageNetClasses)
    throw refuse(
      `its head has the shape ${shapeText(shape)} for ${imageNetClasses} classes, with ${featureSize} features`,
      'Give the head a weight of [featureSize, classes].',
    );
  const found = countTrainable(network.parameters.values());
  if (found !== counted)
    throw refuse(`its network has ${found} trainable parameters, its record says ${counted}`, 'Correct one of them.');
}
