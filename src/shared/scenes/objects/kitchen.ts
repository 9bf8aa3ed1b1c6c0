import type { ObjectClass } from './object.ts';
import { noiseSeed } from './object.ts';
import type { Colour } from '../material.ts';
import { blend, finish, hex, paint, vary } from '../material.ts';
import { clamp01, fractal, lerp, noise, smoothstep } from '../noise.ts';

/** A glazed mug seen from above: foot, rim, handle and what is in it. */
export const mug: ObjectClass = {
  label: 'mug',
  tall: true,
  radius: [0.17, 0.25],
  make(random, leanU, leanV) {
    const seed = noiseSeed(random);
    const glaze = vary(
      hex(random.pick([0xf0ece4, 0xf4f2ee, 0x35536b, 0x9c3b32, 0x2b2d30, 0x7d8f7a, 0xd9b25f, 0x5c8f96, 0xcf8f7d])),
      0.1,
      random.next,
    );
    const inner = random.chance(0.6) ? hex(0xf1eee8) : glaze;
    const content = random.pick(['coffee', 'coffee', 'latte', 'tea', 'empty']);
    const speckled = random.chance(0.35);
    const depth = 0.75;
    const rim = 0.7;
    const foot = random.range(0.56, 0.66);
    const wall = random.range(0.07, 0.1);
    const level = random.range(0.12, 0.32);
    // The foot stays where the mug stands; the rim is seen displaced by the perspective.
    const footU = -leanU * depth - 0.14;
    const footV = -leanV * depth;
    const swirl = random.range(0.4, 1.6);
    return (u, v, sample) => {
      const r = Math.hypot(u + 0.14, v);
      // Body: the hull of foot and rim, as a tapered capsule.
      const axisU = footU + 0.14;
      const axisV = footV;
      const length2 = axisU * axisU + axisV * axisV;
      const t = length2 > 1e-6 ? clamp01(((u + 0.14) * axisU + v * axisV) / length2) : 0;
      const body = Math.hypot(u + 0.14 - axisU * t, v - axisV * t) - lerp(rim, foot, t);
      const handle = Math.max(Math.abs(v - footV * 0.35) - 0.115 + 0.03 * (u - 0.5), Math.abs(u - 0.55) - 0.4) + 0.02;
      sample.distance = Math.min(r - rim, body, handle);
      if (sample.distance > sample.margin) return;
      const glazeTone = 0.9 + 0.14 * fractal(u * 4, v * 4, seed, 3);
      paint(sample, glaze, glazeTone);
      if (speckled) blend(sample, [0.08, 0.05, 0.03], 0.7 * smoothstep(0.8, 0.86, noise(u * 26, v * 26, seed ^ 2)));
      finish(sample, 0.85, 0.05, 0);
      if (r < rim - wall) {
        const inside = rim - wall;
        // The liquid lies lower, so the perspective moves it the other way and shows the inner wall.
        const lu = u + 0.14 + leanU * level;
        const lv = v + leanV * level;
        const lr = Math.hypot(lu, lv);
        const surface = inside - 0.015;
        if (lr < surface) {
          sample.height = depth - level + 0.02 * smoothstep(surface - 0.05, surface, lr);
          if (content === 'empty') {
            paint(sample, inner, 0.62 - 0.3 * smoothstep(0.15, surface, lr));
            finish(sample, 0.8, 0.05, 0);
          } else {
            const angle = Math.atan2(lv, lu) + swirl * lr * 3;
            const ring = fractal(Math.cos(angle) * 2 + lr * 5, Math.sin(angle) * 2, seed ^ 5, 4);
            const edge = smoothstep(surface - 0.1, surface - 0.02, lr);
            if (content === 'coffee') {
              paint(sample, hex(0x2a140a), 0.8 + 0.3 * ring);
              blend(sample, hex(0x9a6436), clamp01(0.55 * edge + 0.5 * smoothstep(0.55, 0.72, ring)));
            } else if (content === 'latte') {
              paint(sample, hex(0xb07c4e), 0.85 + 0.3 * ring);
              blend(sample, hex(0xf0e2cc), smoothstep(0.47, 0.56, ring) * smoothstep(surface, surface - 0.25, lr));
            } else {
              paint(sample, hex(0xa04a12), 0.7 + 0.2 * ring);
              blend(sample, hex(0xd98a35), 0.7 * edge);
            }
            finish(sample, 0.95, 0.03, 0);
          }
        } else {
          sample.height = depth - level * smoothstep(inside, inside - 0.09, r);
          paint(sample, inner, 0.8);
        }
      } else if (r < rim) {
        const across = (rim - r) / wall - 0.5;
        sample.height = depth + wall * 0.7 * Math.sqrt(Math.max(0, 1 - 4 * across * across)) - 0.04;
        if (inner !== glaze) blend(sample, inner, smoothstep(0.1, 0.4, across));
      } else if (body < 0) {
        sample.height = depth * (1 - t) * 0.9 + 0.35 * Math.sqrt(clamp01(-body * 2.2));
      } else {
        const across = Math.abs(v - footV * 0.35) / 0.115;
        sample.height = 0.4 + 0.12 * Math.sqrt(Math.max(0, 1 - across * across));
      }
    };
  },
};

/** A tomato with its green star. */
export const tomato: ObjectClass = {
  label: 'tomato',
  tall: true,
  radius: [0.085, 0.145],
  make(random, leanU, leanV) {
    const seed = noiseSeed(random);
    const skin = vary(hex(random.pick([0xc22a17, 0xb21f14, 0xcf3d1c, 0xd9541e, 0xa81c1c])), 0.12, random.next);
    const pale: Colour = [skin[0] * 1.1, skin[1] * 2.6 + 0.05, skin[2] * 1.5];
    const lobes = random.integer(3, 6);
    const phase = random.range(0, 6);
    const lobed = random.range(0.005, 0.035);
    const stars = random.integer(5, 6);
    const twist = random.range(-0.9, 0.9);
    const reach = random.range(0.42, 0.62);
    const topU = leanU * 0.3 + random.range(-0.1, 0.1);
    const topV = leanV * 0.3 + random.range(-0.1, 0.1);
    const green = vary(hex(random.pick([0x3f6b22, 0x56812c, 0x2f5a20])), 0.15, random.next);
    return (u, v, sample) => {
      const angle = Math.atan2(v, u);
      const lobe = lobed * Math.cos(lobes * angle + phase) + 0.012 * Math.sin(2 * angle + phase * 2);
      const r = Math.hypot(u, v);
      const edge = 0.95 + lobe;
      sample.distance = r - edge;
      if (sample.distance > sample.margin) return;
      const cu = u - topU;
      const cv = v - topV;
      const cr = Math.hypot(cu, cv);
      const dome = Math.sqrt(Math.max(0, 1 - (r * r) / (edge * edge)));
      const dip = 0.16 * Math.exp(-(cr * cr) / 0.045);
      const furrow = 0.9 * lobed * Math.cos(lobes * angle + phase) * smoothstep(0.05, 0.6, r);
      sample.height = 0.82 * Math.pow(dome, 0.9) - dip + furrow + 0.004 * noise(u * 18, v * 18, seed);
      paint(sample, skin, 0.86 + 0.22 * fractal(u * 2, v * 2, seed, 3));
      blend(sample, pale, 0.5 * Math.exp(-cr * cr * 9) + 0.12 * smoothstep(0.72, 0.78, noise(u * 42, v * 42, seed ^ 4)));
      finish(sample, 0.88, 0.045, 0);
      const ca = Math.atan2(cv, cu) + twist * cr + phase;
      const sector = (2 * Math.PI) / stars;
      const k = Math.round(ca / sector);
      const off = ca - k * sector + 0.25 * Math.sin(cr * 9 + k * 2.1);
      const long = reach * (0.8 + 0.4 * noise(k * 7.3, 1, seed ^ 11));
      const half = 0.13 * Math.sqrt(clamp01(cr / 0.1)) * (1 - cr / long);
      const blade = Math.abs(off) * cr - half;
      const star = smoothstep(0.018, -0.012, Math.min(blade, cr - 0.085));
      if (star > 0) {
        const stem = smoothstep(0.085, 0.05, cr);
        blend(sample, green, star);
        blend(sample, hex(0x8d9a4e), star * 0.5 * smoothstep(0.03, 0, Math.abs(off) * cr));
        blend(sample, hex(0x6d5a33), stem * 0.6);
        sample.height += star * (0.05 + 0.07 * smoothstep(0.2, long, cr)) + 0.14 * stem;
        sample.gloss = lerp(sample.gloss, 0.25, star);
      }
    };
  },
};

/** A slice of orange, lemon, lime or grapefruit. */
export const citrus: ObjectClass = {
  label: 'citrus slice',
  tall: false,
  radius: [0.08, 0.15],
  make(random) {
    const seed = noiseSeed(random);
    const kind = random.pick([
      { flesh: 0xf2a12a, peel: 0xee8a12 },
      { flesh: 0xf0d24e, peel: 0xf2cc1e },
      { flesh: 0xb9cc5a, peel: 0x6f9b2c },
      { flesh: 0xd9604a, peel: 0xe89a3c },
    ]);
    const flesh = vary(hex(kind.flesh), 0.12, random.next);
    const peel = vary(hex(kind.peel), 0.1, random.next);
    const pith = vary(hex(0xf3ead2), 0.05, random.next);
    const segments = random.integer(8, 11);
    const phase = random.range(0, 6);
    const offU = random.range(-0.07, 0.07);
    const offV = random.range(-0.07, 0.07);
    const rind = random.range(0.05, 0.08);
    const white = random.range(0.05, 0.12);
    return (u, v, sample) => {
      const angle = Math.atan2(v, u);
      const r = Math.hypot(u, v);
      const edge = 0.97 + 0.018 * Math.sin(angle * 2 + phase) + 0.006 * noise(angle * 9, 0, seed);
      sample.distance = r - edge;
      if (sample.distance > sample.margin) return;
      const su = u - offU;
      const sv = v - offV;
      const sr = Math.hypot(su, sv);
      const sector = (2 * Math.PI) / segments;
      const sa = Math.atan2(sv, su) + phase + 0.12 * (noise(angle * 2, 3, seed ^ 8) - 0.5);
      const k = Math.floor(sa / sector);
      const inSector = sa - (k + 0.5) * sector;
      const gap = (sector / 2 - Math.abs(inSector)) * sr;
      const border = edge - rind - white - r;
      const inside = Math.min(gap - 0.014, border, sr - 0.07);
      const pulp = smoothstep(0, 0.035, inside);
      const sac = fractal(sa * 16, sr * 5 - noise(sa * 20, sr * 6, seed) * 2, seed ^ 2, 3);
      paint(sample, pith, 0.9 + 0.14 * noise(u * 24, v * 24, seed));
      blend(sample, flesh, pulp * (0.72 + 0.5 * sac));
      blend(sample, [flesh[0] * 0.75, flesh[1] * 0.6, flesh[2] * 0.4], pulp * 0.55 * smoothstep(0.55, 0.3, sac));
      const skin = smoothstep(edge - rind - 0.012, edge - rind + 0.012, r);
      blend(sample, peel, skin);
      sample.height = 0.1 * Math.sqrt(clamp01((edge - r) / 0.06)) - 0.02 * (1 - pulp) * (1 - skin) + 0.028 * sac * pulp;
      finish(sample, lerp(0.35, 0.8, pulp), lerp(0.035, 0.05, pulp), 0);
    };
  },
};
