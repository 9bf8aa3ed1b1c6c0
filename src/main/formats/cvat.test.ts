import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { geometryToRle } from '../../shared/mask/raster.ts';
import { decodeRle, rleArea, rleBox } from '../../shared/mask/rle.ts';
import { createStaging } from '../store/staging.ts';
import { CVAT } from './cvat.ts';
import { collect } from './dataset.test-support.ts';
import { imageFiles } from './folder.ts';
import { escapeXml, readXml } from './xml-elements.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'maskloop-cvat-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const options = { images: '/nowhere', files: imageFiles([]), sizeOf: () => Promise.resolve(null) };

async function read(shapes: string, size = 'width="40" height="30"'): Promise<ReturnType<typeof collect>> {
  const file = join(folder, 'annotations.xml');
  await writeFile(file, `<annotations><version>1.1</version><image id="0" name="a.jpg" ${size}>${shapes}</image></annotations>`);
  const sink = collect();
  await CVAT.reader.read(file, sink, options);
  return sink;
}

describe('shapes of CVAT', () => {
  it('turns a box clockwise about its middle', async () => {
    const { instances } = await read('<box label="a" xtl="10" ytl="10" xbr="20" ybr="14" rotation="90"/>');
    const geometry = instances[0]?.geometry;
    expect(geometry?.kind).toBe('polygon');
    const ring = geometry?.kind === 'polygon' ? (geometry.parts[0]?.outer ?? []) : [];
    // The top left corner goes to the top right of the standing box.
    [17, 7, 17, 17, 13, 17, 13, 7].forEach((value, i) => expect(ring[i]).toBeCloseTo(value, 9));
  });

  it('makes an ellipse the polygon that has its area', async () => {
    const { instances } = await read('<ellipse label="a" cx="20" cy="15" rx="12" ry="6" rotation="0"/>');
    const rle = geometryToRle(instances[0]?.geometry ?? { kind: 'box', box: [0, 0, 0, 0] }, 40, 30);
    expect(rleBox(rle)).toEqual([8, 9, 24, 12]);
    expect(Math.abs(rleArea(rle) - Math.PI * 12 * 6)).toBeLessThan(6);
  });

  it('reads the runs of a mask row by row', async () => {
    const { instances } = await read('<mask label="a" rle="1, 2, 3, 3" left="5" top="7" width="3" height="3"/>');
    const geometry = instances[0]?.geometry;
    const bitmap = geometry?.kind === 'mask' ? decodeRle(geometry.rle) : null;
    const rows = [7, 8, 9].map((y) => [...(bitmap?.data.subarray(y * 40 + 5, y * 40 + 8) ?? [])].join(''));
    expect(rows).toEqual(['011', '000', '111']);
  });

  it('puts what is on top last, and takes the crowd mark for one', async () => {
    const box = (label: string, z: number, inner = ''): string =>
      `<box label="${label}" xtl="1" ytl="1" xbr="5" ybr="5" z_order="${z}">${inner}</box>`;
    const { instances, categories } = await read(
      box('top', 3) + box('low', -1, '<attribute name="is_crowd">true</attribute>') + box('mid', 0),
    );
    const names = new Map(categories.map(({ key, name }) => [key, name]));
    expect(instances.map(({ categoryKey, crowd }) => [names.get(categoryKey), crowd])).toEqual([
      ['low', true],
      ['mid', false],
      ['top', false],
    ]);
  });

  it.each([
    ['<box label="a" xtl="1" ytl="x" xbr="2" ybr="3"/>', 'box-unclear'],
    ['<box label="a" xtl="1" ytl="1" xbr="1" ybr="3"/>', 'box-empty'],
    ['<polygon label="a" points="1,2;3,4"/>', 'ring-too-short'],
    ['<polygon label="a" points="1,2;3,NaN;5,6"/>', 'points-unclear'],
    ['<ellipse label="a" cx="1" cy="2" rx="0" ry="3"/>', 'ellipse-unclear'],
    ['<mask label="a" rle="1,2" left="1" top="1" width="2" height="2"/>', 'runs-unclear'],
    ['<mask label="a" rle="1,9999999999" left="1" top="1" width="2" height="2"/>', 'runs-unclear'],
    ['<mask label="a" rle="4" left="1" top="1" width="999999999" height="999999999"/>', 'mask-unclear'],
    ['<box xtl="1" ytl="1" xbr="2" ybr="3"/>', 'class-missing'],
  ])('refuses %s alone, and says %s', async (shape, reason) => {
    const { instances, findings } = await read(`${shape}<box label="good" xtl="1" ytl="1" xbr="2" ybr="3"/>`);
    expect(instances).toHaveLength(1);
    expect(findings.map((finding) => [finding.kind, finding.reason])).toEqual([['refused', reason]]);
    expect(findings[0]?.id).toContain('a.jpg');
  });

  it('writes what it was told again: ellipses, attributes, groups, shapes that are no areas, the task', async () => {
    const shapes =
      '<ellipse label="a" source="manual" occluded="1" cx="20" cy="15" rx="12.5" ry="6.25" rotation="30.00" group_id="4">' +
      '<attribute name="kind">x &lt; y &amp; "z"</attribute></ellipse>' +
      '<polyline label="a" points="1.0,2;3,4" occluded="0"/><tag label="a" source="manual"/>';
    const file = join(folder, 'annotations.xml');
    await writeFile(
      file,
      '<annotations><version>1.1</version><meta><task><name>my task</name><owner><username>u</username></owner><labels>' +
        '<label><name>a</name><color>#0c81b5</color><attributes><attribute><name>kind</name><values>1\n2</values></attribute></attributes></label>' +
        `</labels></task></meta><image id="7" name="a.jpg" subset="Train" task_id="9" width="40" height="30">${shapes}</image></annotations>`,
    );
    const staging = createStaging('cvat', join(folder, 'staging'));
    await CVAT.reader.read(file, staging, options);
    const out = await mkdtemp(join(folder, 'out-'));
    await CVAT.writer?.write(staging.source({ projectName: 'p', folder }), out, { images: 'leave' }, () => undefined);
    staging.close();
    const text = await readFile(join(out, 'annotations.xml'), 'utf8');
    expect(text).toMatch(
      /<ellipse label="a" source="manual" occluded="1" group_id="4" cx="20" cy="15" rx="12.5" ry="6.25" rotation="30.00" z_order="0">/,
    );
    expect(text).toContain('<attribute name="kind">x &lt; y &amp; &quot;z&quot;</attribute>');
    expect(text).toContain('<polyline label="a" points="1.0,2;3,4" occluded="0"/>');
    expect(text).toContain('<tag label="a" source="manual"/>');
    expect(text).toContain('<username>u</username>');
    expect(text).toContain('<color>#0c81b5</color>');
    expect(text).toContain('<values>1&#10;2</values>');
    expect(text).toContain('<image id="0" task_id="9" name="a.jpg" subset="train" width="40" height="30">');
  });
});

describe('XML', () => {
  const parse = async (text: string | Buffer): Promise<string[]> => {
    const file = join(folder, 'x.xml');
    await writeFile(file, text);
    const found: string[] = [];
    await readXml(file, { child: ({ name, text: said, attributes }) => void found.push(`${name}=${said}${attributes['a'] ?? ''}`) });
    return found;
  };

  it('refuses entities that unfold, naming file and line', async () => {
    const bomb = '<?xml version="1.0"?>\n<!DOCTYPE a [\n<!ENTITY x "ha"><!ENTITY y "&x;&x;&x;&x;&x;&x;&x;&x;">]>\n<a><b>&y;</b></a>';
    await expect(parse(bomb)).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringMatching(/x\.xml, line 3: it declares entities/) as string,
    });
    await expect(parse('<a><b>&y;</b></a>')).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringContaining('line 1') as string,
    });
  });

  it('names the line where a file is cut off or is no XML', async () => {
    await expect(parse('<a>\n<b>\n')).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringMatching(/x\.xml, line 3/) as string,
    });
    await expect(parse('{"a": 1}')).rejects.toMatchObject({ code: 'invalid' });
    await expect(parse('')).rejects.toMatchObject({ code: 'invalid' });
    await expect(parse(Buffer.from([0x3c, 0x61, 0x3e, 0xff, 0xfe]))).rejects.toMatchObject({ code: 'invalid' });
    await expect(parse('<a>'.repeat(100_000))).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringContaining('deep') as string,
    });
  });

  it('reads other encodings, and what it escaped itself', async () => {
    expect(await parse(Buffer.from('\uFEFF<a><b>ü</b></a>', 'utf16le'))).toEqual(['b=ü']);
    expect(await parse(Buffer.from('<?xml version="1.0" encoding="ISO-8859-1"?><a><b>\u00fc</b></a>', 'latin1'))).toEqual(['b=ü']);
    const odd = 'a<b>&"\n\t\u0085無';
    expect(await parse(`<x><y a="${escapeXml(odd)}"/></x>`)).toEqual([`y=${odd}`]);
    expect(escapeXml('\u0001\ud800')).toBe('\uFFFD\uFFFD');
  });
});
