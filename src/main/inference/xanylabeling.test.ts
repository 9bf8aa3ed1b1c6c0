import { describe, expect, it } from 'vitest';
import { readXAnyLabeling } from './xanylabeling.ts';

const read = (text: string): ReturnType<typeof readXAnyLabeling> => readXAnyLabeling(text, '/m/my.yaml');

describe('a model file of X-AnyLabeling', () => {
  it('of a YOLO gives classes, thresholds, sides and the file', () => {
    const model = read(`
type: yolov8_seg
name: parts-r1
display_name: Parts
provider: Us
model_path: parts.onnx
input_width: 512
input_height: 384
conf_threshold: 0.3
nms_threshold: 0.5
classes: [nut, bolt, 7]
agnostic: true
`);
    expect(model).toEqual({
      name: 'Parts',
      files: [{ role: 'model', place: 'parts.onnx', isUrl: false }],
      hints: { labels: ['nut', 'bolt', '7'], score: 0.3, iou: 0.5, sides: { width: 512, height: 384 } },
      from: 'X-AnyLabeling yolov8_seg, Us',
      notes: ['“agnostic” of the YAML file has no meaning here and is left out.'],
    });
  });

  it('takes classes by their numbers, in their order', () => {
    expect(read('type: yolo11_seg\nmodel_path: a.onnx\nclasses: {1: b, 0: a}').hints.labels).toEqual(['a', 'b']);
    expect(() => read('type: yolo11_seg\nmodel_path: a.onnx\nclasses: {0: a, 5: b}')).toThrow(/classes: "5" is no number from 0 to 1/);
  });

  it('of a SAM gives encoder and decoder, wherever they lie', () => {
    const model = read(`
type: segment_anything
name: sam-b
encoder_model_path: https://example.org/a/sam.encoder.onnx
decoder_model_path: sam.decoder.onnx
input_size: 1024
max_width: 1024
max_height: 682
`);
    expect(model.files).toEqual([
      { role: 'encoder', place: 'https://example.org/a/sam.encoder.onnx', isUrl: true },
      { role: 'decoder', place: 'sam.decoder.onnx', isUrl: false },
    ]);
    expect(model.notes).toHaveLength(3);
  });

  it.each([
    ['type: yolov8_seg', /model_path is missing/],
    ['type: segment_anything_2\nencoder_model_path: a.onnx', /decoder_model_path is missing/],
    ['type: grounding_dino\nmodel_path: a.onnx', /"grounding_dino" are not imported/],
    ['type: yolov8_seg\nmodel_path: a.onnx\nconf_threshold: 30', /conf_threshold/],
    ['name: x', /type/],
    ['a: [1', /is no YAML/],
    ['just words', /is no model file/],
  ])('says what is wrong with %j', (text, message) => expect(() => read(text)).toThrow(message));
});
