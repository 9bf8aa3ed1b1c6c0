import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright/test';
import { simplifyParts } from '../src/shared/geometry/simplify.ts';
import { contourOfRle } from '../src/shared/mask/contour.ts';
import { decodeRle, rleArea, rleBox } from '../src/shared/mask/rle.ts';
import type { Annotation, ImageDocument, PolygonPart, Rle } from '../src/shared/records.ts';
import { clickAt, drag, saved, selectRow, shownDocument } from './canvas.ts';
import { expect, test } from './host.ts';
import { writePhotos } from './photos.ts';

/** What the spec reads of the exported file. */
interface Coco {
  readonly images: readonly { id: number; file_name: string; width: number; height: number }[];
  readonly categories: readonly { id: number; name: string }[];
  readonly annotations: readonly {
    id: number;
    image_id: number;
    category_id: number;
    iscrowd: number;
    area: number;
    bbox: [number, number, number, number];
    segmentation: number[][] | { size: [number, number]; counts: string };
  }[];
}

test('a folder of photos becomes a corrected, verified COCO dataset, across a restart', async ({ host }, testInfo) => {
  const photos = join(host.folder, 'photos');
  const names = await writePhotos(photos, 3);
  const shot = (name: string): Promise<Buffer> => host.page.screenshot({ path: testInfo.outputPath(`${name}.png`) });
  await expect(host.page.getByTestId('welcome-sample')).toBeVisible();
  await shot('1-welcome');

  await host.openFolder(photos);
  await expect(host.page.getByTestId('filmstrip-item')).toHaveCount(3);
  await expect.poll(() => host.page.evaluate(() => window.__maskloop?.document()?.imageId ?? null)).not.toBeNull();

  await test.step('predict the folder', async () => {
    await host.page.getByTestId('predict-menu').click();
    await host.page.getByTestId('predict-folder').click();
    await expect(host.page.locator('[data-testid="filmstrip-item"][data-state="predicted"]')).toHaveCount(3, { timeout: 120_000 });
    await expect(host.page.getByTestId('engine-status')).toHaveAttribute('data-provider', /./);
    await expect.poll(async () => (await shownDocument(host.page)).suggestions.length).toBeGreaterThan(3);
  });
  await shot('2-predicted');
  const before = await shownDocument(host.page);
  const sure = before.suggestions.filter((suggestion) => suggestion.score >= 0.5).sort((a, b) => rleArea(b.rle) - rleArea(a.rle));
  expect(sure.length).toBeGreaterThan(3);
  const [toReshape, toAccept, toReject] = [sure[0]!, sure[1]!, sure[2]!];

  await test.step('accept one: its mask is kept to the pixel', async () => {
    await selectRow(host.page, toAccept.id);
    await host.page.keyboard.press('Enter');
    await saved(host.page, 1);
    const document = await shownDocument(host.page);
    expect(document.annotations).toMatchObject([
      { geometry: { kind: 'mask', rle: toAccept.rle }, origin: 'accepted', suggestionId: toAccept.id, labelId: toAccept.labelId },
    ]);
  });

  await test.step('reject one', async () => {
    await selectRow(host.page, toReject.id);
    await host.page.keyboard.press('x');
    await saved(host.page, 2);
    const document = await shownDocument(host.page);
    expect(document.decisions[toReject.id]).toBe('rejected');
    expect(document.annotations).toHaveLength(1);
  });

  const vertex = await test.step('drag a vertex of one: it becomes a corrected instance', async () => {
    await selectRow(host.page, toReshape.id);
    const outline = simplifyParts(contourOfRle(toReshape.rle), 1);
    const from = loneliestVertex(outline[0]!, before);
    const to = towardsMiddle(from, rleBox(toReshape.rle));
    await drag(host.page, [from, [(from[0] + to[0]) / 2, (from[1] + to[1]) / 2], to]);
    await saved(host.page, 3);
    const document = await shownDocument(host.page);
    const corrected = document.annotations.find((annotation) => annotation.suggestionId === toReshape.id);
    expect(corrected).toMatchObject({ origin: 'corrected', geometry: { kind: 'polygon' } });
    expect(document.decisions[toReshape.id]).toBe('corrected');
    const moved = movedVertices(outline, partsOf(corrected!));
    expect(moved).toHaveLength(1);
    expect(Math.hypot(moved[0]!.to[0] - to[0], moved[0]!.to[1] - to[1])).toBeLessThan(1.5);
    return moved[0]!;
  });
  expect(vertex.to).not.toEqual(vertex.from);

  const free = await test.step('paint an instance and erase a hole in it', async () => {
    const spot = emptiestSpot(before, 120);
    // Once for the vertex that is selected, once for the instance.
    await host.page.keyboard.press('Escape');
    await host.page.keyboard.press('Escape');
    await expect(host.page.locator('[data-testid="instance-row"][aria-selected="true"]')).toHaveCount(0);
    await host.page.getByTestId('class-row').first().click();
    await host.page.getByTestId('tool-brush').click();
    const zigzag: [number, number][] = [];
    for (let row = 0; row <= 8; row++)
      zigzag.push([spot.x + 10 + (row % 2 ? 100 : 0), spot.y + 10 + row * 12], [spot.x + 10 + (row % 2 ? 0 : 100), spot.y + 10 + row * 12]);
    await drag(host.page, zigzag);
    await saved(host.page, 4);
    await host.page.getByTestId('tool-eraser').click();
    await drag(host.page, [
      [spot.x + 55, spot.y + 58],
      [spot.x + 65, spot.y + 58],
    ]);
    await saved(host.page, 5);
    const document = await shownDocument(host.page);
    const painted = document.annotations.find((annotation) => annotation.origin === 'drawn');
    expect(painted?.geometry.kind).toBe('mask');
    const rle = maskOf(painted!);
    expect(pixelAt(rle, spot.x + 60, spot.y + 58)).toBe(0);
    expect(pixelAt(rle, spot.x + 60, spot.y + 22)).toBe(1);
    expect(contourOfRle(rle)).toMatchObject([{ holes: [expect.anything()] }]);
    return spot;
  });

  const square: [number, number][] = [
    [free.x + 5, free.y + 5],
    [free.x + 115, free.y + 9],
    [free.x + 60, free.y + 112],
  ];
  await test.step('draw a polygon, and another that is undone', async () => {
    await host.page.keyboard.press('Escape');
    await host.page.getByTestId('tool-polygon').click();
    for (const point of square) await clickAt(host.page, point);
    await host.page.keyboard.press('Enter');
    await saved(host.page, 6);
    await clickAt(host.page, [free.x + 20, free.y + 20]);
    await clickAt(host.page, [free.x + 90, free.y + 20]);
    await clickAt(host.page, [free.x + 90, free.y + 90]);
    await host.page.keyboard.press('Enter');
    await saved(host.page, 7);
    expect((await shownDocument(host.page)).annotations).toHaveLength(5);
    await host.page.keyboard.press('Control+z');
    await expect(host.page.getByTestId('save-state')).toHaveAttribute('data-revision', '8');
    expect((await shownDocument(host.page)).annotations).toHaveLength(4);
  });
  await shot('3-corrected');
  const kept = await shownDocument(host.page);

  await test.step('close the app and open it again: everything is there, redo too', async () => {
    await host.restart();
    await host.page.getByTestId('welcome-recent').first().click();
    await expect.poll(async () => (await documentOrNull(host.page))?.imageId ?? null).toBe(kept.imageId);
    expect(await shownDocument(host.page)).toEqual(kept);
    await host.page.getByTestId('canvas').focus();
    await host.page.keyboard.press('Control+Shift+z');
    await expect(host.page.getByTestId('save-state')).toHaveAttribute('data-revision', '9');
    expect((await shownDocument(host.page)).annotations).toHaveLength(5);
    await host.page.keyboard.press('Control+z');
    await expect(host.page.getByTestId('save-state')).toHaveAttribute('data-revision', '10');
    expect((await shownDocument(host.page)).annotations).toEqual(kept.annotations);
  });
  await shot('4-reopened');

  const out = join(host.folder, 'dataset');
  await test.step('export', async () => {
    await host.page.getByTestId('export-open').click();
    await host.page.getByTestId('export-out').fill(out);
    await host.page.getByTestId('export-run').click();
    await expect(host.page.getByTestId('export-report')).toHaveAttribute('data-annotations', '4');
    await shot('5-exported');
  });

  const coco = JSON.parse(readFileSync(join(out, 'annotations.json'), 'utf8')) as Coco;
  expect(existsSync(join(out, 'export-report.json'))).toBe(true);
  expect(coco.images.map((image) => image.file_name).sort()).toEqual([...names].sort());
  expect(coco.images.find((image) => image.id === kept.imageId)).toMatchObject({ width: kept.width, height: kept.height });
  expect(coco.categories.every((category) => category.id >= 1 && category.name !== '_background_')).toBe(true);
  expect(coco.annotations).toHaveLength(4);
  expect(coco.annotations.every((annotation) => annotation.image_id === kept.imageId && annotation.iscrowd === 0)).toBe(true);
  // Numbered as they were made; that of the undone polygon is not given to another.
  expect(coco.annotations.map((annotation) => annotation.id).sort((a, b) => a - b)).toEqual([1, 2, 3, 4]);

  const [accepted, corrected, painted, drawn] = [1, 2, 3, 4].map((id) => coco.annotations.find((annotation) => annotation.id === id)!);
  expect(accepted).toMatchObject({ category_id: toAccept.labelId, area: rleArea(toAccept.rle), bbox: [...rleBox(toAccept.rle)] });
  expect(corrected!.category_id).toBe(toReshape.labelId);
  const rings = corrected!.segmentation as number[][];
  expect(hasPoint(rings, vertex.to), 'the dragged vertex is where it was dropped').toBe(true);
  expect(hasPoint(rings, vertex.from), 'and no longer where it was').toBe(false);
  const hole = painted!.segmentation as { size: [number, number]; counts: string };
  expect(hole.size).toEqual([kept.height, kept.width]);
  const rle = maskOf(kept.annotations.find((annotation) => annotation.origin === 'drawn' && annotation.geometry.kind === 'mask')!);
  expect(hole.counts).toBe(rle.counts);
  expect(painted).toMatchObject({ area: rleArea(rle), bbox: [...rleBox(rle)] });
  const triangle = drawn!.segmentation as number[][];
  expect(triangle).toHaveLength(1);
  expect(triangle[0]).toHaveLength(6);
  for (const [index, point] of square.entries()) {
    expect(Math.hypot(triangle[0]![index * 2]! - point[0], triangle[0]![index * 2 + 1]! - point[1])).toBeLessThan(1.5);
  }
  expect(host.complaints).toEqual([]);
});

async function documentOrNull(page: Page): Promise<ImageDocument | null> {
  return page.evaluate(() => window.__maskloop?.document() ?? null);
}

function maskOf(annotation: Annotation): Rle {
  if (annotation.geometry.kind !== 'mask') throw new Error(`${annotation.id} is a ${annotation.geometry.kind}`);
  return annotation.geometry.rle;
}

function partsOf(annotation: Annotation): readonly PolygonPart[] {
  if (annotation.geometry.kind !== 'polygon') throw new Error(`${annotation.id} is a ${annotation.geometry.kind}`);
  return annotation.geometry.parts;
}

function pixelAt(rle: Rle, x: number, y: number): number | undefined {
  const { width, data } = decodeRle(rle);
  return data[Math.floor(y) * width + Math.floor(x)];
}

function pointsOf(ring: readonly number[]): [number, number][] {
  return Array.from({ length: ring.length / 2 }, (_, i) => [ring[i * 2]!, ring[i * 2 + 1]!]);
}

/** The vertex farthest from its neighbours and off the image's border, so that a press there means it and nothing else. */
function loneliestVertex({ outer }: PolygonPart, { width, height }: ImageDocument): [number, number] {
  const points = pointsOf(outer);
  const margin = 25;
  let best: [number, number] | null = null;
  let room = 0;
  for (const [i, point] of points.entries()) {
    if (point[0] < margin || point[1] < margin || point[0] > width - margin || point[1] > height - margin) continue;
    const nearest = Math.min(...points.filter((_, j) => j !== i).map((other) => Math.hypot(other[0] - point[0], other[1] - point[1])));
    if (nearest > room) [best, room] = [point, nearest];
  }
  if (best === null) throw new Error('every vertex lies on the border');
  return best;
}

/** A quarter of the way to the middle of the box. */
function towardsMiddle(from: readonly [number, number], [x, y, w, h]: readonly [number, number, number, number]): [number, number] {
  return [from[0] + (x + w / 2 - from[0]) / 4, from[1] + (y + h / 2 - from[1]) / 4];
}

/** The vertices in which two outlines of the same shape differ. */
function movedVertices(before: readonly PolygonPart[], after: readonly PolygonPart[]): { from: [number, number]; to: [number, number] }[] {
  expect(after.length).toBe(before.length);
  return before.flatMap((part, p) => {
    const now = pointsOf(after[p]!.outer);
    const was = pointsOf(part.outer);
    expect(now.length).toBe(was.length);
    return was.flatMap((from, i) => (from[0] === now[i]![0] && from[1] === now[i]![1] ? [] : [{ from, to: now[i]! }]));
  });
}

/** The top left corner of the square of `side` pixels with the least suggested mask in it. */
function emptiestSpot({ suggestions, width, height }: ImageDocument, side: number): { x: number; y: number } {
  const covered = new Uint8Array(width * height);
  for (const suggestion of suggestions) {
    const { data } = decodeRle(suggestion.rle);
    for (let i = 0; i < data.length; i++) if (data[i]) covered[i] = 1;
  }
  let best = { x: 0, y: 0 };
  let least = Infinity;
  for (let y = 20; y + side + 20 < height; y += 20) {
    for (let x = 20; x + side + 20 < width; x += 20) {
      let sum = 0;
      for (let v = y; v < y + side; v += 4) for (let u = x; u < x + side; u += 4) sum += covered[v * width + u]!;
      if (sum < least) [best, least] = [{ x, y }, sum];
    }
  }
  return best;
}

function hasPoint(rings: readonly number[][], point: readonly [number, number]): boolean {
  return rings.some((ring) => pointsOf(ring).some(([x, y]) => x === point[0] && y === point[1]));
}
