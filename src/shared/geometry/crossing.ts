import type { Ring } from '../records.ts';

/** An edge from (ax, ay) to (bx, by) with the points before and after it on its ring. */
interface Edge {
  readonly px: number;
  readonly py: number;
  readonly ax: number;
  readonly ay: number;
  readonly bx: number;
  readonly by: number;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** Whether a ring crosses itself. Touching itself at a point, as exact mask outlines may, is no crossing. */
export function isSelfCrossing(ring: Ring): boolean {
  return haveCrossing([ring]);
}

/**
 * Whether any two edges among all the rings cross, in their middles or by passing through one another at a
 * point of a ring. Touching is no crossing, nor is running along one another.
 */
export function haveCrossing(rings: readonly Ring[]): boolean {
  // Sweep over x: only edges whose spans overlap are compared.
  const edges = rings.flatMap(edgesOf).sort((a, b) => a.left - b.left);
  for (const [i, e] of edges.entries()) {
    for (let j = i + 1; j < edges.length; j++) {
      const f = edges[j];
      if (!f || f.left > e.right) break;
      if (f.top > e.bottom || f.bottom < e.top) continue;
      const a = side(e.ax, e.ay, e.bx, e.by, f.ax, f.ay);
      const b = side(e.ax, e.ay, e.bx, e.by, f.bx, f.by);
      const c = side(f.ax, f.ay, f.bx, f.by, e.ax, e.ay);
      const d = side(f.ax, f.ay, f.bx, f.by, e.bx, e.by);
      if (a * b < 0 && c * d < 0) return true;
      if (a === 0 && passesThrough(f, e)) return true;
      if (c === 0 && passesThrough(e, f)) return true;
    }
  }
  return false;
}

function edgesOf(ring: Ring): Edge[] {
  const n = ring.length;
  return Array.from({ length: n >> 1 }, (_, i) => {
    const at = (k: number): number => ring[(k + n) % n] ?? 0;
    const [ax, ay, bx, by] = [at(2 * i), at(2 * i + 1), at(2 * i + 2), at(2 * i + 3)];
    return {
      px: at(2 * i - 2),
      py: at(2 * i - 1),
      ax,
      ay,
      bx,
      by,
      left: Math.min(ax, bx),
      right: Math.max(ax, bx),
      top: Math.min(ay, by),
      bottom: Math.max(ay, by),
    };
  });
}

/** Sign of the turn a → b → c. */
function side(ax: number, ay: number, bx: number, by: number, cx: number, cy: number): number {
  return Math.sign((bx - ax) * (cy - ay) - (by - ay) * (cx - ax));
}

/**
 * Whether the ring of `e`, at the first point of `e`, goes from one side of `f`'s ring to the other. That
 * point is known to be in line with `f`; it must lie on `f`, its end excepted, which belongs to the next edge.
 */
function passesThrough(e: Edge, f: Edge): boolean {
  const { ax: x, ay: y } = e;
  if (x < f.left || x > f.right || y < f.top || y > f.bottom || (x === f.bx && y === f.by)) return false;
  const atStart = x === f.ax && y === f.ay;
  const from = Math.atan2((atStart ? f.py : f.ay) - y, (atStart ? f.px : f.ax) - x);
  const turn = (toX: number, toY: number): number => {
    const angle = Math.atan2(toY - y, toX - x) - from;
    return angle < 0 ? angle + 2 * Math.PI : angle;
  };
  const sector = turn(f.bx, f.by);
  const sideOf = (angle: number): number => {
    const along = Math.min(Math.abs(angle), Math.abs(angle - sector), Math.abs(angle - 2 * Math.PI)) < 1e-9;
    return along ? 0 : angle < sector ? 1 : -1;
  };
  return sideOf(turn(e.px, e.py)) * sideOf(turn(e.bx, e.by)) < 0;
}
