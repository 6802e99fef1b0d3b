// The kit's own families. To add one: its file, one line here, one fixture.
import { registerBackbone } from '../define-backbone';
import { denseNets } from './densenet';
import { efficientNets } from './efficientnet';
import { efficientNetLites } from './efficientnet-lite';
import { inceptionV3 } from './inception-v3';
import { mobileNetV1 } from './mobilenet-v1';
import { mobileNetV2 } from './mobilenet-v2';
import { resnets } from './resnet';

for (const definition of [
  ...resnets,
  ...inceptionV3,
  ...denseNets,
  ...mobileNetV1,
  ...mobileNetV2,
  ...efficientNets,
  ...efficientNetLites,
])
  registerBackbone(definition, { file: __filename, line: null });
