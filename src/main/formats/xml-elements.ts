import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { SaxesParser } from 'saxes';
import { AppError } from '../../shared/errors.ts';

/** An element with all that is in it. `text` is its characters without those of its children, trimmed. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  readonly text: string;
}

export interface XmlHandlers {
  readonly root?: (name: string, attributes: Readonly<Record<string, string>>) => void;
  /** Called for each child of the root, in order, one after the other. */
  readonly child: (element: XmlElement) => void | Promise<void>;
  readonly signal?: AbortSignal;
  readonly onProgress?: (bytes: number, total: number) => void;
}

/** Deeper than any format goes. */
const DEEPEST = 64;

interface Open {
  name: string;
  attributes: Record<string, string>;
  children: XmlElement[];
  texts: string[];
}

/**
 * Reads an XML file a chunk at a time and hands over each child of its root: memory goes with the largest of them. No
 * entities but XML's own five: a document type that declares some is refused, so that nothing unfolds.
 * Throws AppError `io` where the file cannot be read, `invalid`, naming the file and the line, where it is no XML.
 */
export async function readXml(path: string, { root, child, signal, onProgress }: XmlHandlers): Promise<void> {
  const total = await fileSize(path);
  const parser = new SaxesParser();
  const open: Open[] = [];
  const ready: XmlElement[] = [];
  const wrong = (why: string): AppError =>
    new AppError('invalid', `${path}, line ${parser.line}: ${why}.`, { path, line: parser.line, reason: why });
  parser.on('error', (cause) => {
    throw wrong(`it is not well-formed XML (${cause.message.replace(/^\d+:\d+: /, '').replace(/\.$/, '')})`);
  });
  parser.on('doctype', (text) => {
    if (text.includes('<!ENTITY')) throw wrong('it declares entities, which are not read');
  });
  parser.on('opentag', ({ name, attributes }) => {
    if (open.length >= DEEPEST) throw wrong(`its elements lie in each other more than ${DEEPEST} deep`);
    if (open.length === 0) root?.(name, attributes);
    open.push({ name, attributes, children: [], texts: [] });
  });
  const text = (piece: string): void => void open.at(-1)?.texts.push(piece);
  parser.on('text', text);
  parser.on('cdata', text);
  parser.on('closetag', () => {
    const done = open.pop();
    if (!done) return;
    const { name, attributes, children, texts } = done;
    const element: XmlElement = { name, attributes, children, text: texts.join('').trim() };
    if (open.length === 1) {
      ready.push(element);
      const [top] = open;
      // Nobody asks for the root's own text; it would grow with the file.
      if (top) top.texts.length = 0;
    } else open.at(-1)?.children.push(element);
  });
  let decoder: TextDecoder | null = null;
  let done = 0;
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 18 })) {
      signal?.throwIfAborted();
      const bytes = chunk as Buffer;
      decoder ??= new TextDecoder(encodingOf(bytes), { fatal: true });
      parser.write(decoder.decode(bytes, { stream: true }));
      for (const element of ready.splice(0)) await child(element);
      onProgress?.((done += bytes.length), total);
    }
    parser.write(decoder?.decode() ?? '').close();
    for (const element of ready) await child(element);
  } catch (thrown) {
    if (thrown instanceof AppError || signal?.aborted) throw thrown;
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    if (thrown instanceof TypeError || thrown instanceof RangeError) throw wrong(`its characters cannot be read (${why})`);
    throw new AppError('io', `${path} cannot be read: ${why}`, { path }, thrown);
  }
}

async function fileSize(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (cause) {
    throw new AppError('io', `${path} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, { path }, cause);
  }
}

/** By the byte order mark or what the declaration says (XML 1.0, appendix F); UTF-8 where neither does. */
function encodingOf(bytes: Buffer): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  return /^\s*(?:\xEF\xBB\xBF)?<\?xml[^>]*encoding=["']([A-Za-z0-9._-]+)["']/.exec(bytes.toString('latin1', 0, 200))?.[1] ?? 'utf-8';
}

/** The name of a file's root element, null where its first kilobytes have none or it cannot be read. */
export async function rootOf(path: string): Promise<string | null> {
  try {
    const file = await open(path);
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(8192), 0, 8192, 0);
      const bytes = buffer.subarray(0, bytesRead);
      const text = new TextDecoder(encodingOf(bytes)).decode(bytes).replace(/<!--[^]*?-->/g, '');
      return /<([\p{L}_][^\s/>]*)/u.exec(text)?.[1] ?? null;
    } finally {
      await file.close();
    }
  } catch {
    return null;
  }
}

/** The first child of a name. */
export function childOf(element: XmlElement, name: string): XmlElement | undefined {
  return element.children.find((each) => each.name === name);
}

/** The text of the first child of a name, null where there is none or it is empty. */
export function textOf(element: XmlElement, name: string): string | null {
  const text = childOf(element, name)?.text;
  return text === undefined || text === '' ? null : text;
}

/** A number as XML files write them, null for whatever is not one and finite. */
export function numberOf(text: string | null | undefined): number | null {
  if (text === null || text === undefined || !/^\s*[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?\s*$/i.test(text)) return null;
  const value = Number(text);
  return Number.isFinite(value) ? value : null;
}

/**
 * A difference of two coordinates without the noise of their last digits, to a billionth of a pixel: 0.30000000000000004 - 0.1
 * is 0.2 again, and what is filled is the same pixels.
 */
export function span(from: number, to: number): number {
  return Math.round((to - from) * 1e9) / 1e9;
}

/** An element as text, `indent` spaces from the left, ending with a line feed. The inverse of `readXml` up to white space. */
export function xmlText(element: XmlElement, indent = 0): string {
  const space = ' '.repeat(indent);
  const attributes = Object.entries(element.attributes)
    .map(([name, value]) => ` ${name}="${escapeXml(value)}"`)
    .join('');
  if (element.children.length === 0) {
    const text = escapeXml(element.text);
    return text === '' ? `${space}<${element.name}${attributes}/>\n` : `${space}<${element.name}${attributes}>${text}</${element.name}>\n`;
  }
  const inner = element.children.map((each) => xmlText(each, indent + 2)).join('');
  return `${space}<${element.name}${attributes}>\n${inner}${space}</${element.name}>\n`;
}

/** An element of nothing but a text. */
export function leaf(name: string, text: string | number): XmlElement {
  return { name, attributes: {}, children: [], text: String(text) };
}

export function branch(name: string, children: readonly XmlElement[], attributes: Readonly<Record<string, string>> = {}): XmlElement {
  return { name, attributes, children, text: '' };
}

/** Characters that XML cannot have at all (XML 1.0, production 2) become U+FFFD. */
export function escapeXml(text: string): string {
  return text
    .replace(/\p{Surrogate}/gu, '\uFFFD')
    .replaceAll('&', '&amp;')
    .replace(/[\uFFFE\uFFFF]/g, '\uFFFD')
    .replace(/\p{Cc}/gu, (control: string) =>
      control >= '\u007f' ? control : ['\t', '\n', '\r'].includes(control) ? `&#${control.charCodeAt(0)};` : '\uFFFD',
    )
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
