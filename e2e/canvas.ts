import type { Page } from 'playwright/test';
import { expect } from 'playwright/test';
import type { ImageDocument } from '../src/shared/records.ts';
import '../src/renderer/canvas/diagnostics.ts';

type Point = readonly [x: number, y: number];

/** The document that the window shows. */
export async function shownDocument(page: Page): Promise<ImageDocument> {
  const document = await page.evaluate(() => window.__maskloop?.document() ?? null);
  if (document === null) throw new Error('the window shows no document');
  return document;
}

/** Image pixels to pixels of the page. */
async function toScreen(page: Page, points: readonly Point[]): Promise<Point[]> {
  const box = await page.getByTestId('canvas').boundingBox();
  const view = await page.evaluate(() => window.__maskloop?.viewport() ?? null);
  if (box === null || view === null) throw new Error('there is no canvas');
  return points.map(([x, y]) => [box.x + view.x + x * view.scale, box.y + view.y + y * view.scale] as const);
}

export async function clickAt(page: Page, point: Point, button: 'left' | 'right' = 'left'): Promise<void> {
  const [at] = await toScreen(page, [point]);
  await page.mouse.move(at![0], at![1]);
  await page.mouse.click(at![0], at![1], { button });
}

/** Presses at the first point, moves through the others, and lets go at the last. */
export async function drag(page: Page, points: readonly Point[]): Promise<void> {
  const [first, ...rest] = await toScreen(page, points);
  await page.mouse.move(first![0], first![1]);
  await page.mouse.down();
  for (const [x, y] of rest) await page.mouse.move(x, y, { steps: 4 });
  await page.mouse.up();
}

/** Waits until the revision has been committed and said to be. */
export async function saved(page: Page, revision: number): Promise<void> {
  const state = page.getByTestId('save-state');
  await expect(state).toHaveAttribute('data-revision', String(revision));
  await expect(state).toHaveAttribute('data-kind', 'saved');
}

/** Selects the row of an instance or suggestion by its id. */
export async function selectRow(page: Page, id: string | number): Promise<void> {
  const row = page.locator(`[data-testid="instance-row"][data-id="${id}"]`);
  await row.click();
  await expect(row).toHaveAttribute('aria-selected', 'true');
}
