import type { Random } from './random.ts';
import type { Colour, Sample } from './material.ts';
import { blend, finish, hex, paint, vary } from './material.ts';
import { cells, clamp01, fractal, lattice, noise, ridge, smoothstep } from './noise.ts';

/** Fills a sample for the table top at (x, y); unit: one 480th of the picture's short side. Height in the same unit. */
export type Surface = (x: number, y: number, sample: Sample) => void;

type Make = (random: Random) => Surface;

function seedOf(random: Random): number {
  return Math.floor(random.next() * 4294967296) | 0;
}

const wood: Make = (random) => {
  const seed = seedOf(random);
  const light = vary(hex(random.pick([0xc9a074, 0xb98553, 0xd8bd95, 0x8a5a36, 0x6b432a, 0xa9835d])), 0.15, random.next);
  const dark: Colour = [light[0] * 0.52, light[1] * 0.44, light[2] * 0.38];
  const plank = random.range(90, 260);
  const shine = random.range(0.15, 0.5);
  return (x, y, sample) => {
    const row = Math.floor(y / plank);
    const shift = lattice(row, 7, seed) * 4000;
    const inside = y - row * plank;
    const bend = 26 * fractal(x / 420 + shift, y / 160, seed, 3);
    const rings =
      0.5 +
      0.5 * Math.sin((inside + bend * 2.4) * (0.13 + 0.09 * lattice(row, 9, seed)) + 9 * noise((x + shift) / 520, inside / 90, seed ^ 3));
    const fibre = fractal((x + shift) / 46, y / 1.7, seed ^ 21, 3);
    const pores = smoothstep(0.66, 0.82, noise((x + shift) / 22, y / 1.1, seed ^ 5));
    paint(sample, light, 0.82 + 0.34 * lattice(row, 3, seed));
    blend(sample, dark, clamp01(0.5 * rings * rings + 0.55 * (fibre - 0.4) + 0.35 * pores));
    const seam = smoothstep(2.2, 0.4, Math.min(inside, plank - inside));
    blend(sample, [0.02, 0.014, 0.01], 0.85 * seam);
    sample.height = 0.5 * fibre - 0.5 * pores - 2.2 * seam;
    finish(sample, shine, 0.04, 0);
  };
};

const linen: Make = (random) => {
  const seed = seedOf(random);
  const base = vary(hex(random.pick([0xe6dcc8, 0xcfc4ae, 0x8fa3ad, 0xb9a08a, 0x5f6f7a, 0xd8c9c4, 0x9aa58c])), 0.12, random.next);
  const pitch = random.range(2.6, 4.6);
  const fold = random.range(0, 7);
  return (x, y, sample) => {
    const wx = x + 3 * fractal(x / 60, y / 60, seed, 2);
    const wy = y + 3 * fractal(x / 60, y / 60, seed ^ 77, 2);
    const warpIndex = Math.floor(wx / pitch);
    const weftIndex = Math.floor(wy / pitch);
    const warp = Math.abs(Math.sin((Math.PI * wx) / pitch)) * (0.7 + 0.6 * noise(warpIndex * 3.7, wy / 40, seed ^ 1));
    const weft = Math.abs(Math.sin((Math.PI * wy) / pitch)) * (0.7 + 0.6 * noise(wx / 40, weftIndex * 3.7, seed ^ 2));
    const over = (warpIndex + weftIndex) & 1 ? warp : weft;
    const thread = 0.6 * over + 0.4 * Math.max(warp, weft);
    const tone = 0.72 + 0.3 * thread + 0.18 * (fractal(x / 9, y / 9, seed ^ 9, 2) - 0.5);
    paint(sample, base, tone);
    sample.height = 0.8 * thread + fold * fractal(x / 170, y / 130, seed ^ 31, 3) * 3;
    finish(sample, 0.05, 0.03, 0);
  };
};

const slate: Make = (random) => {
  const seed = seedOf(random);
  const base = vary(hex(random.pick([0x3c4147, 0x2d3136, 0x4a4a4c, 0x39424a])), 0.15, random.next);
  return (x, y, sample) => {
    const layer = fractal(x / 150, y / 110, seed, 5);
    const cleft = Math.pow(ridge(x / 90 + 2 * layer, y / 130, seed ^ 6, 4), 14);
    const grit = fractal(x / 5, y / 5, seed ^ 4, 3);
    paint(sample, base, 0.7 + 0.5 * layer + 0.35 * (grit - 0.5));
    blend(sample, [0.3, 0.29, 0.27], 0.12 * smoothstep(0.62, 0.8, fractal(x / 40, y / 34, seed ^ 8, 4)));
    blend(sample, [0.012, 0.013, 0.015], 0.5 * cleft);
    sample.height = 7 * layer - 1.5 * cleft + 0.9 * grit;
    finish(sample, 0.3, 0.045, 0);
  };
};

const marble: Make = (random) => {
  const seed = seedOf(random);
  const dark = random.chance(0.25);
  const base = vary(hex(dark ? 0x34363a : random.pick([0xece9e4, 0xdedcd8, 0xe8ded2])), 0.06, random.next);
  const vein = hex(dark ? 0xcfc9bd : random.pick([0x8d9096, 0xa59a8c, 0x757a82]));
  return (x, y, sample) => {
    const wx = x / 190 + 1.7 * fractal(x / 210, y / 210, seed, 4);
    const wy = y / 240 + 1.7 * fractal(x / 190, y / 220, seed ^ 12, 4);
    const broad = Math.pow(ridge(wx, wy, seed ^ 5, 3), 9);
    const fine = Math.pow(ridge(wx * 2.6, wy * 2.6, seed ^ 6, 3), 22);
    const cloud = fractal(x / 120, y / 120, seed ^ 2, 4);
    paint(sample, base, 0.9 + 0.2 * (cloud - 0.5));
    blend(sample, vein, clamp01(0.55 * broad * cloud * 1.6 + 0.5 * fine));
    sample.height = 0;
    finish(sample, 0.75, 0.05, 0);
  };
};

const concrete: Make = (random) => {
  const seed = seedOf(random);
  const base = vary(hex(random.pick([0xa8a49d, 0x8f8d89, 0xb9b2a6, 0x77787a])), 0.12, random.next);
  return (x, y, sample) => {
    const cloud = fractal(x / 130, y / 130, seed, 5);
    const grain = fractal(x / 3.2, y / 3.2, seed ^ 4, 2);
    const pore =
      smoothstep(0.16, 0.06, cells(x / 17, y / 17, seed ^ 9)) * (lattice(Math.floor(x / 17), Math.floor(y / 17), seed) > 0.6 ? 1 : 0);
    paint(sample, base, 0.72 + 0.45 * cloud + 0.28 * (grain - 0.5));
    blend(sample, [0.06, 0.06, 0.055], 0.7 * pore);
    sample.height = 1.4 * grain - 2.4 * pore + 2 * cloud;
    finish(sample, 0.12, 0.035, 0);
  };
};

const paper: Make = (random) => {
  const seed = seedOf(random);
  const base = vary(
    hex(random.pick([0xf2ece0, 0xd9c7a3, 0x9db7b0, 0xe0b7a0, 0x5d7686, 0xc9cfd2, 0x6d7f5e, 0xd5a94f, 0x8c4f4a])),
    0.12,
    random.next,
  );
  return (x, y, sample) => {
    const fibre = fractal(x / 7 + 2 * noise(x / 30, y / 30, seed), y / 2.6, seed ^ 3, 3);
    const cloud = fractal(x / 180, y / 180, seed, 3);
    paint(sample, base, 0.9 + 0.16 * (cloud - 0.5) + 0.12 * (fibre - 0.5));
    sample.height = 0.7 * fibre + 5 * fractal(x / 220, y / 260, seed ^ 8, 2);
    finish(sample, 0.08, 0.035, 0);
  };
};

const painted: Make = (random) => {
  const seed = seedOf(random);
  const base = vary(hex(random.pick([0xdfe3e0, 0x8fb0ac, 0x4d6470, 0xcbb99b, 0x31444c, 0xb7c4b1])), 0.1, random.next);
  const raw = hex(0x8b6b4a);
  const plank = random.range(70, 150);
  return (x, y, sample) => {
    const row = Math.floor(x / plank);
    const inside = x - row * plank;
    const stroke = fractal(x / 2.4, (y + 900 * lattice(row, 1, seed)) / 70, seed, 3);
    const worn = smoothstep(0.64, 0.74, fractal(x / 18, y / 60, seed ^ 6, 4));
    paint(sample, base, 0.86 + 0.12 * lattice(row, 2, seed) + 0.2 * (stroke - 0.5));
    blend(sample, raw, worn * (0.6 + 0.4 * stroke));
    const seam = smoothstep(2.4, 0.5, Math.min(inside, plank - inside));
    blend(sample, [0.015, 0.013, 0.012], 0.85 * seam);
    sample.height = 0.8 * stroke - 0.9 * worn - 2.5 * seam;
    finish(sample, 0.3, 0.04, 0);
  };
};

/** A table top drawn by chance: wood, linen, slate, marble, concrete, paper or painted boards, turned at any angle. */
export function makeSurface(random: Random): Surface {
  const make = random.pick([wood, wood, linen, linen, slate, marble, concrete, paper, painted]);
  const surface = make(random);
  const angle = random.range(0, Math.PI);
  const zoom = 1 / random.range(0.8, 1.5);
  const cos = Math.cos(angle) * zoom;
  const sin = Math.sin(angle) * zoom;
  const ox = random.range(0, 3000);
  const oy = random.range(0, 3000);
  return (x, y, sample) => surface(cos * x + sin * y + ox, cos * y - sin * x + oy, sample);
}
