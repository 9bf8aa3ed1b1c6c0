import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CVAT } from './cvat.ts';
import { collect } from './dataset.test-support.ts';
import { imageFiles } from './folder.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'maskloop-cvat-tracks-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const frameName = (frame: number): string => `frame_${String(frame).padStart(6, '0')}.png`;
const ALL = Array.from({ length: 30 }, (_, frame) => frame);

/** Reads a file of tracks with the images of some frames; answers with the instances by frame. */
async function read(
  tracks: string,
  { frames = ALL, task = '<start_frame>0</start_frame><stop_frame>9</stop_frame>' }: { frames?: readonly number[]; task?: string } = {},
): Promise<ReturnType<typeof collect> & { readonly found: [number, unknown, string][] }> {
  const file = join(folder, 'annotations.xml');
  const size = '<original_size><width>100</width><height>80</height></original_size>';
  await writeFile(file, `<annotations><version>1.1</version><meta><task>${task}${size}</task></meta>${tracks}</annotations>`);
  const sink = collect();
  const files = imageFiles(frames.map((frame) => `images/${frameName(frame)}`));
  await CVAT.reader.read(file, sink, { images: folder, files, sizeOf: () => Promise.resolve(null) });
  const frameOf = new Map(sink.images.map(({ key, path }) => [key, Number(/frame_(\d+)/.exec(path)?.[1])]));
  const found = sink.instances.map(({ imageKey, geometry, source }): [number, unknown, string] => [
    frameOf.get(imageKey) ?? -1,
    geometry.kind === 'box' ? geometry.box : geometry.kind === 'polygon' ? geometry.parts[0]?.outer : null,
    source ?? '',
  ]);
  return { ...sink, found: found.sort((a, b) => a[0] - b[0]) };
}

const places = ({ found }: { found: readonly [number, unknown, string][] }): [number, unknown][] =>
  found.map(([frame, place]) => [frame, place]);
const reasons = ({ findings }: ReturnType<typeof collect>): string[] => findings.map(({ kind, reason }) => `${kind} ${reason}`);

function box(frame: number, xtl: number, more = ''): string {
  return `<box frame="${frame}" keyframe="1" outside="0" occluded="0" xtl="${xtl}" ytl="10" xbr="${xtl + 10}" ybr="20" ${more}/>`;
}

describe('the tracks of a video', () => {
  it('move boxes in a straight line from keyframe to keyframe, until they are out of sight', async () => {
    const out = '<box frame="6" keyframe="1" outside="1" occluded="0" xtl="50" ytl="10" xbr="60" ybr="20"/>';
    const dataset = await read(`<track id="0" label="car">${box(0, 10, 'z_order="2"')}${box(4, 30)}${out}${box(8, 40)}</track>`);
    expect(places(dataset)).toEqual([
      [0, [10, 10, 10, 10]],
      [1, [15, 10, 10, 10]],
      [2, [20, 10, 10, 10]],
      [3, [25, 10, 10, 10]],
      [4, [30, 10, 10, 10]],
      // Outside begins at 6: until there it moves towards it.
      [5, [40, 10, 10, 10]],
      [8, [40, 10, 10, 10]],
      // The last keyframe holds until the end of the task.
      [9, [40, 10, 10, 10]],
    ]);
    expect(dataset.found.map(([, , source]) => /"@keyframe":"(\d)"/.exec(source)?.[1])).toEqual(['1', '0', '0', '0', '1', '0', '1', '0']);
    expect(reasons(dataset)).toEqual(['kept tracks-per-frame']);
    expect(dataset.findings[0]?.message).toContain('5 of them');
  });

  it('take what the file lists as it is, and keep what is said of the shape before', async () => {
    const listed = '<box frame="1" keyframe="0" outside="0" occluded="1" xtl="17" ytl="10" xbr="27" ybr="20"/>';
    const dataset = await read(`<track id="0" label="car">${box(0, 10)}${listed}${box(3, 30)}</track>`, {
      task: '<start_frame>0</start_frame><stop_frame>3</stop_frame>',
    });
    expect(places(dataset)).toEqual([
      [0, [10, 10, 10, 10]],
      [1, [17, 10, 10, 10]],
      [2, [23.5, 10, 10, 10]],
      [3, [30, 10, 10, 10]],
    ]);
    expect(dataset.found.map(([, , source]) => source.includes('"@occluded":"1"'))).toEqual([false, true, true, false]);
  });

  it('go by the frames of the task, and only where there is an image', async () => {
    const task = '<start_frame>10</start_frame><stop_frame>19</stop_frame><frame_filter>step=3</frame_filter>';
    const tracks = `<track id="0" label="car">${box(10, 10)}${box(19, 40)}</track>`;
    expect(places(await read(tracks, { task })).map(([frame]) => frame)).toEqual([10, 13, 16, 19]);
    const some = await read(tracks, { task, frames: [10, 16, 19] });
    expect(places(some)).toEqual([
      [10, [10, 10, 10, 10]],
      [16, [30, 10, 10, 10]],
      [19, [40, 10, 10, 10]],
    ]);
    expect(some.images.map(({ path }) => path).sort()).toEqual([10, 16, 19].map((frame) => `images/${frameName(frame)}`));
  });

  it('end where there is no image, however long the file says that its video is', async () => {
    const task = '<start_frame>0</start_frame><stop_frame>900000000000</stop_frame>';
    const dataset = await read(`<track id="0" label="car">${box(0, 10)}</track>`, { task, frames: [0, 1, 2] });
    expect(places(dataset).map(([frame]) => frame)).toEqual([0, 1, 2]);
  });

  it('turn boxes the shorter way round', async () => {
    const dataset = await read(`<track id="0" label="car">${box(0, 10, 'rotation="350"')}${box(2, 10, 'rotation="10"')}</track>`, {
      task: '<stop_frame>2</stop_frame>',
    });
    // Half way it stands straight: 0 degrees.
    expect(places(dataset)[1]).toEqual([1, [10, 10, 10, 10]]);
  });

  it('move polygons vertex by vertex, and say which frames they cannot fill', async () => {
    const polygon = (frame: number, points: string): string =>
      `<polygon frame="${frame}" keyframe="1" outside="0" occluded="0" points="${points}"/>`;
    const dataset = await read(
      `<track id="7" label="car">${polygon(0, '0,0;10,0;10,10')}${polygon(2, '10,0;30,0;20,20')}${polygon(5, '10,0;30,0;20,20;0,20')}</track>`,
      { task: '<stop_frame>5</stop_frame>' },
    );
    expect(places(dataset)).toEqual([
      [0, [0, 0, 10, 0, 10, 10]],
      [1, [5, 0, 20, 0, 15, 15]],
      [2, [10, 0, 30, 0, 20, 20]],
      [5, [10, 0, 30, 0, 20, 20, 0, 20]],
    ]);
    const gap = dataset.findings.find(({ reason }) => reason === 'track-gap');
    expect(gap).toMatchObject({ kind: 'refused', id: 'track 7 frames 3 to 4' });
    expect(gap?.message).toContain('3 vertices before and 4 after');
  });
});
