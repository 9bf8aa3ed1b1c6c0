import type { Ring } from '../../shared/records.ts';

/**
 * Whether two edges of a ring that are no neighbours touch or cross: no ring that crosses itself answers false, and only
 * those that answer true need the exact look of `isSelfCrossing`. For a million rings: edges are put into columns, and those
 * of a column compared; nothing is allocated.
 */
export function mayCross(ring: Ring): boolean {
  const n = ring.length >> 1;
  if (n < 4) return false;
  reserve(n);
  let left = Infinity;
  let right = -Infinity;
  for (let i = 0; i < n; i++) {
    const x = ring[2 * i] ?? 0;
    xs[i] = x;
    ys[i] = ring[2 * i + 1] ?? 0;
    if (x < left) left = x;
    if (x > right) right = x;
  }
  xs[n] = xs[0] ?? 0;
  ys[n] = ys[0] ?? 0;
  const columns = Math.min(MOST_COLUMNS, n);
  const scale = right > left ? columns / (right - left) : 0;
  heads.fill(-1, 0, columns);
  let used = 0;
  for (let e = 0; e < n; e++) {
    const ax = xs[e] ?? 0;
    const ay = ys[e] ?? 0;
    const bx = xs[e + 1] ?? 0;
    const by = ys[e + 1] ?? 0;
    const low = ax < bx ? ax : bx;
    const high = ax < bx ? bx : ax;
    const top = ay < by ? ay : by;
    const bottom = ay < by ? by : ay;
    const last = Math.min(columns - 1, Math.floor((high - left) * scale));
    for (let column = Math.min(columns - 1, Math.floor((low - left) * scale)); column <= last; column++) {
      for (let at = heads[column] ?? -1; at >= 0; at = links[at] ?? -1) {
        const f = edges[at] ?? 0;
        if (f === e - 1 || (f === 0 && e === n - 1)) continue;
        const cx = xs[f] ?? 0;
        const cy = ys[f] ?? 0;
        const dx = xs[f + 1] ?? 0;
        const dy = ys[f + 1] ?? 0;
        if ((cy < top && dy < top) || (cy > bottom && dy > bottom) || (cx < low && dx < low) || (cx > high && dx > high)) continue;
        const c = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
        const d = (bx - ax) * (dy - ay) - (by - ay) * (dx - ax);
        if ((c > 0 && d > 0) || (c < 0 && d < 0)) continue;
        const a = (dx - cx) * (ay - cy) - (dy - cy) * (ax - cx);
        const b = (dx - cx) * (by - cy) - (dy - cy) * (bx - cx);
        if ((a > 0 && b > 0) || (a < 0 && b < 0)) continue;
        return true;
      }
      if (used === links.length) growLinks();
      edges[used] = e;
      links[used] = heads[column] ?? -1;
      heads[column] = used++;
    }
  }
  return false;
}

const MOST_COLUMNS = 4096;
const heads = new Int32Array(MOST_COLUMNS);
let xs = new Float64Array(256);
let ys = new Float64Array(256);
let links = new Int32Array(1024);
let edges = new Int32Array(1024);

function reserve(n: number): void {
  if (xs.length > n) return;
  xs = new Float64Array(2 * n);
  ys = new Float64Array(2 * n);
}

function growLinks(): void {
  const [moreLinks, moreEdges] = [new Int32Array(links.length * 2), new Int32Array(links.length * 2)];
  moreLinks.set(links);
  moreEdges.set(edges);
  links = moreLinks;
  edges = moreEdges;
}
