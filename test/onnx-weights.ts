/** Changes the weights inside an ONNX file without touching its graph. Field numbers are of onnx.proto. */
const MODEL_GRAPH = 7;
const GRAPH_INITIALIZER = 5;
const TENSOR_TYPE = 2;
const TENSOR_RAW = 9;
const FLOAT = 1;

interface Field {
  readonly number: number;
  /** Of a length-delimited field: where its bytes begin and end. */
  readonly start: number;
  readonly end: number;
  readonly value: number;
}

/** A copy in which every float weight is `change(value)`. */
export function withWeights(onnx: Buffer, change: (value: number) => number): Buffer {
  const copy = Buffer.from(onnx);
  for (const graph of fieldsOf(copy, 0, copy.length).filter(({ number }) => number === MODEL_GRAPH)) {
    for (const tensor of fieldsOf(copy, graph.start, graph.end).filter(({ number }) => number === GRAPH_INITIALIZER)) {
      const fields = fieldsOf(copy, tensor.start, tensor.end);
      const raw = fields.find(({ number }) => number === TENSOR_RAW);
      if (raw === undefined || fields.find(({ number }) => number === TENSOR_TYPE)?.value !== FLOAT) continue;
      for (let at = raw.start; at + 4 <= raw.end; at += 4) copy.writeFloatLE(change(copy.readFloatLE(at)), at);
    }
  }
  return copy;
}

function fieldsOf(bytes: Buffer, from: number, to: number): Field[] {
  const fields: Field[] = [];
  for (let at = from; at < to;) {
    const tag = varint(bytes, at);
    const [number, wire] = [Math.floor(tag.value / 8), tag.value % 8];
    const first = wire === 0 || wire === 2 ? varint(bytes, tag.end) : { value: 0, end: tag.end };
    const end = wire === 2 ? first.end + first.value : wire === 5 ? tag.end + 4 : wire === 1 ? tag.end + 8 : first.end;
    fields.push({ number, start: first.end, end, value: first.value });
    at = end;
  }
  return fields;
}

function varint(bytes: Buffer, from: number): { readonly value: number; readonly end: number } {
  let value = 0;
  let at = from;
  for (let shift = 0; ; shift += 7, at++) {
    const byte = bytes[at] ?? 0;
    value += (byte & 127) * 2 ** shift;
    if (byte < 128) return { value, end: at + 1 };
  }
}
