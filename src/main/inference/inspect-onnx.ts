import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { AppError } from '../../shared/errors.ts';
import type { TensorInfo } from '../../shared/answers/models.ts';

/**
 * What an ONNX file says of itself, read without its weights: the file is walked field by field, and what
 * is large is passed over. Field numbers are those of onnx.proto (ONNX 1.16, `ModelProto` and below).
 */
export interface OnnxHeader {
  /** `pytorch 2.4.0`, or null. */
  readonly producer: string | null;
  /** Of the default domain. */
  readonly opset: number | null;
  readonly metadata: readonly { readonly key: string; readonly value: string }[];
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
  /** The operator that makes each output, e.g. `Softmax`. */
  readonly madeBy: Readonly<Record<string, string>>;
  /** Files beside it that hold its weights; empty where it holds them itself. */
  readonly external: readonly string[];
}

const MODEL = { producerName: 2, producerVersion: 3, graph: 7, opsetImport: 8, metadata: 14 } as const;
const GRAPH = { node: 1, initializer: 5, input: 11, output: 12 } as const;

/** A header's parts are small; what is larger is no header. */
const PART_BYTES = 4_000_000;
const WINDOW_BYTES = 128 * 1024;

/**
 * @throws AppError `invalid` when it is no ONNX file, or one that ends too early; `io` when it cannot be read.
 */
export async function readOnnxHeader(path: string): Promise<OnnxHeader> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (thrown) {
    throw new AppError('io', `${path}: cannot be read.`, { path }, thrown);
  }
  try {
    const { size } = await file.stat();
    return await readModel(createWalk(file, size, path), size, path);
  } catch (thrown) {
    if (thrown instanceof AppError) throw thrown;
    const said = thrown instanceof Error ? thrown.message : String(thrown);
    throw new AppError('invalid', `${path}: is no ONNX file, or a damaged one (${said}).`, { path }, thrown);
  } finally {
    await file.close();
  }
}

async function readModel(walk: Walk, size: number, path: string): Promise<OnnxHeader> {
  let name = '';
  let version = '';
  let opset: number | null = null;
  let graph: Graph | null = null;
  const metadata: { key: string; value: string }[] = [];
  for await (const field of walk.fields(0, size)) {
    if (field.number === MODEL.graph) graph = await readGraph(walk, field);
    else if (field.number === MODEL.producerName) name = text(await walk.bytes(field));
    else if (field.number === MODEL.producerVersion) version = text(await walk.bytes(field));
    else if (field.number === MODEL.opsetImport) opset = readOpset(await walk.bytes(field)) ?? opset;
    else if (field.number === MODEL.metadata) metadata.push(readPair(await walk.bytes(field)));
  }
  if (graph === null) throw new AppError('invalid', `${path}: is no ONNX file: it holds no graph.`, { path });
  // Old exporters list weights among the inputs.
  const inputs = graph.inputs.filter((input) => !graph.initializers.has(input.name));
  return {
    producer: `${name} ${version}`.trim() || null,
    opset,
    metadata,
    inputs,
    outputs: graph.outputs,
    madeBy: graph.madeBy,
    external: [...graph.external],
  };
}

interface Graph {
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
  readonly initializers: ReadonlySet<string>;
  readonly madeBy: Readonly<Record<string, string>>;
  readonly external: ReadonlySet<string>;
}

async function readGraph(walk: Walk, whole: Field): Promise<Graph> {
  const inputs: TensorInfo[] = [];
  const outputs: TensorInfo[] = [];
  const initializers = new Set<string>();
  const external = new Set<string>();
  const operators = new Map<string, string>();
  for await (const field of walk.fields(whole.start, whole.end)) {
    if (field.number === GRAPH.input) inputs.push(readValue(await walk.bytes(field)));
    else if (field.number === GRAPH.output) outputs.push(readValue(await walk.bytes(field)));
    else if (field.number === GRAPH.node) {
      const made: string[] = [];
      let operator = '';
      for await (const part of walk.fields(field.start, field.end)) {
        if (part.number === 2) made.push(text(await walk.bytes(part)));
        else if (part.number === 4) operator = text(await walk.bytes(part));
      }
      for (const output of made) operators.set(output, operator);
    } else if (field.number === GRAPH.initializer) {
      for await (const part of walk.fields(field.start, field.end)) {
        if (part.number === 8) initializers.add(text(await walk.bytes(part)));
        else if (part.number === 13) {
          const { key, value } = readPair(await walk.bytes(part));
          if (key === 'location') external.add(value);
        }
      }
    }
  }
  const madeBy = Object.fromEntries(outputs.flatMap(({ name }) => (operators.has(name) ? [[name, operators.get(name) ?? '']] : [])));
  return { inputs, outputs, initializers, madeBy, external };
}

/** One field of a message: its number, and where its content lies in the file. */
interface Field {
  readonly number: number;
  readonly start: number;
  readonly end: number;
}

interface Walk {
  /** The length-delimited fields of a message that lies from `start` to `end`; others are passed over. */
  fields(start: number, end: number): AsyncGenerator<Field>;
  bytes(field: Field): Promise<Uint8Array>;
}

function createWalk(file: FileHandle, size: number, path: string): Walk {
  let window: Uint8Array = new Uint8Array(0);
  let windowAt = 0;

  /** At least `length` bytes at `at`, or what is left of the file. */
  async function look(at: number, length: number): Promise<Uint8Array> {
    if (at < windowAt || at + length > windowAt + window.length) {
      const wanted = Buffer.alloc(Math.min(Math.max(length, WINDOW_BYTES), Math.max(0, size - at)));
      const { bytesRead } = await file.read(wanted, 0, wanted.length, at);
      window = wanted.subarray(0, bytesRead);
      windowAt = at;
    }
    return window.subarray(at - windowAt);
  }

  return {
    async *fields(start, end) {
      for (let at = start; at < end;) {
        // A tag and a length have at most 10 bytes each.
        const reader = new BinaryReader(await look(at, Math.min(32, end - at)));
        const [number, type] = reader.tag();
        if (type !== WireType.LengthDelimited) {
          reader.skip(type, number);
          at += reader.pos;
          continue;
        }
        const length = reader.uint32();
        const from = at + reader.pos;
        at = from + length;
        if (at > end) throw new AppError('invalid', `${path}: ends too early, or is no ONNX file.`, { path });
        yield { number, start: from, end: at };
      }
    },
    async bytes({ start, end }) {
      if (end - start > PART_BYTES) throw new AppError('invalid', `${path}: a part of its header is ${end - start} bytes long.`, { path });
      return (await look(start, end - start)).slice(0, end - start);
    },
  };
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** Field number to content, of a small message in memory; the last of each number. */
function parts(bytes: Uint8Array): ReadonlyMap<number, Uint8Array | number> {
  const found = new Map<number, Uint8Array | number>();
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    if (type === WireType.LengthDelimited) found.set(number, reader.bytes());
    else if (type === WireType.Varint) found.set(number, Number(reader.int64()));
    else reader.skip(type, number);
  }
  return found;
}

function stringOf(part: Uint8Array | number | undefined): string {
  return part instanceof Uint8Array ? text(part) : '';
}

function readPair(bytes: Uint8Array): { key: string; value: string } {
  const found = parts(bytes);
  return { key: stringOf(found.get(1)), value: stringOf(found.get(2)) };
}

/** The version of the default domain, null for another one. */
function readOpset(bytes: Uint8Array): number | null {
  const found = parts(bytes);
  const domain = stringOf(found.get(1));
  const version = found.get(2);
  return (domain === '' || domain === 'ai.onnx') && typeof version === 'number' ? version : null;
}

/** TensorProto.DataType by its number, as ONNX Runtime names it. */
const TYPES: Readonly<Record<number, string>> = {
  1: 'float32',
  2: 'uint8',
  3: 'int8',
  5: 'int16',
  6: 'int32',
  7: 'int64',
  9: 'bool',
  10: 'float16',
  11: 'float64',
};

/** `ValueInfoProto`: name, type.tensor_type.{elem_type, shape.dim[].{dim_value, dim_param}}. */
function readValue(bytes: Uint8Array): TensorInfo {
  const value = parts(bytes);
  const type = value.get(2);
  const tensor = type instanceof Uint8Array ? parts(type).get(1) : undefined;
  const inside = tensor instanceof Uint8Array ? parts(tensor) : new Map<number, Uint8Array | number>();
  const element = inside.get(1);
  const shape: (number | string)[] = [];
  const dims = inside.get(2);
  if (dims instanceof Uint8Array) {
    const reader = new BinaryReader(dims);
    while (reader.pos < reader.len) {
      const [number, wire] = reader.tag();
      if (number !== 1 || wire !== WireType.LengthDelimited) {
        reader.skip(wire, number);
        continue;
      }
      const dim = parts(reader.bytes());
      const size = dim.get(1);
      shape.push(typeof size === 'number' ? size : stringOf(dim.get(2)) || '?');
    }
  }
  return { name: stringOf(value.get(1)), type: typeof element === 'number' ? (TYPES[element] ?? `type ${element}`) : 'unknown', shape };
}
