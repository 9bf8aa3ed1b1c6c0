import type { ObjectClass } from './object.ts';
import { noiseSeed } from './object.ts';
import type { Colour } from '../material.ts';
import { blend, finish, hex, paint, vary } from '../material.ts';
import { clamp01, fractal, lattice, noise, smoothstep } from '../noise.ts';

const GOLD = 0xe3b964;
const SILVER = 0xd4d3cf;
const COPPER = 0xc98460;
const BRASS = 0xd0aa5c;
const STEEL = 0xc3c6c8;

/** A coin: rim, a ring of beads, an embossed figure, tarnish. */
export const coin: ObjectClass = {
  label: 'coin',
  tall: false,
  radius: [0.052, 0.088],
  make(random) {
    const seed = noiseSeed(random);
    const metal = vary(hex(random.pick([GOLD, SILVER, COPPER, GOLD, COPPER])), 0.1, random.next);
    const ringMetal = random.chance(0.25) ? vary(hex(SILVER), 0.08, random.next) : metal;
    const dirt: Colour = [metal[0] * 0.22, metal[1] * 0.18, metal[2] * 0.14];
    const tiltU = random.range(-0.05, 0.05);
    const tiltV = random.range(-0.05, 0.05);
    const beads = random.integer(26, 44);
    const points = random.integer(5, 9);
    const wear = random.range(0.1, 0.5);
    const phase = random.range(0, 6);
    return (u, v, sample) => {
      const r = Math.hypot(u, v);
      const angle = Math.atan2(v, u);
      sample.distance = r - 0.97;
      if (sample.distance > sample.margin) return;
      const rim = smoothstep(0.84, 0.88, r);
      const bead = Math.max(0, Math.cos(angle * beads)) * smoothstep(0.05, 0.0, Math.abs(r - 0.78));
      const figure = smoothstep(0.03, -0.03, r - 0.34 - 0.13 * Math.cos(points * angle + phase) - 0.05 * Math.cos(2 * angle));
      const inner = smoothstep(0.02, -0.02, r - 0.18 - 0.05 * Math.cos(3 * angle + phase));
      // Something like lettering: short raised strokes around the figure.
      const slot = Math.floor((angle + phase) * 7);
      const stroke =
        lattice(slot, 1, seed) > 0.3
          ? smoothstep(0.04, 0.02, Math.abs(r - 0.62)) *
            smoothstep(0.42, 0.3, Math.abs((angle + phase) * 7 - slot - 0.5)) *
            (0.5 + 0.5 * Math.sin(angle * 60 + 9 * r * lattice(slot, 2, seed)))
          : 0;
      const relief = Math.max(rim, 0.8 * bead, 0.8 * figure - 0.5 * inner, stroke);
      const patina = fractal(u * 3, v * 3, seed, 4);
      const scratch = noise(u * 50 + v * 9, v * 4, seed ^ 6);
      const tilt = tiltU * u + tiltV * v - 0.035 * r * r;
      sample.height = 0.1 + tilt + 0.035 * relief + 0.05 * Math.sqrt(clamp01((0.97 - r) / 0.05)) + 0.004 * scratch;
      paint(sample, r > 0.7 ? ringMetal : metal, 0.9 + 0.16 * (patina - 0.5));
      blend(sample, dirt, clamp01(wear * (1 - relief) * smoothstep(0.35, 0.75, patina) + 0.15 * smoothstep(0.7, 0.9, scratch)));
      finish(sample, 0.62 - 0.25 * patina, 0.75, 0.92);
    };
  },
};

/** A door key: bow with a hole, blade with teeth and a groove. */
export const key: ObjectClass = {
  label: 'key',
  tall: false,
  radius: [0.11, 0.17],
  make(random) {
    const seed = noiseSeed(random);
    const metal = vary(hex(random.pick([BRASS, STEEL, STEEL, BRASS, COPPER])), 0.1, random.next);
    const tiltU = random.range(-0.04, 0.04);
    const tiltV = random.range(-0.1, 0.1);
    const bow = random.range(0.4, 0.46);
    const bowKind = random.pick(['round', 'square', 'clover']);
    const hole = random.range(0.13, 0.2);
    const half = random.range(0.125, 0.155);
    const cuts = random.integer(4, 6);
    const side = random.chance(0.5) ? 1 : -1;
    return (u, v, sample) => {
      const bu = u + 0.54;
      let head: number;
      if (bowKind === 'square') {
        const qx = Math.abs(bu) - bow + 0.16;
        const qy = Math.abs(v) - bow + 0.13;
        head = Math.hypot(Math.max(qx, 0), Math.max(qy, 0)) + Math.min(Math.max(qx, qy), 0) - 0.14;
      } else if (bowKind === 'clover') {
        const lobes = Math.min(Math.hypot(bu, Math.abs(v) - 0.2), Math.hypot(bu + 0.17, v)) - bow + 0.16;
        head = lobes;
      } else {
        head = Math.hypot(bu, v) - bow;
      }
      const bored = hole - Math.hypot(u + 0.6, v);
      const w = v * side;
      // Teeth: a stepwise cut into one edge of the blade.
      const step = Math.floor((u - 0.1) * cuts * 1.25);
      const along = (u - 0.1) * cuts * 1.25 - step;
      const cut = u > 0.1 ? 0.09 * lattice(step, 5, seed) * smoothstep(0, 0.35, Math.min(along, 1 - along) * 2) : 0;
      const tip = Math.max(0, u - 0.82) * 0.75;
      const blade = Math.max(w - half - (u > 0.02 && u < 0.9 ? 0.07 : 0) + cut + tip, -w - half + tip, u - 0.96, -u - 0.4);
      const solid = Math.min(head, blade);
      sample.distance = Math.max(solid, bored);
      if (sample.distance > sample.margin) return;
      const inward = clamp01(-sample.distance / 0.035);
      const groove = smoothstep(0.035, 0.015, Math.abs(w + half * 0.3)) * smoothstep(-0.05, 0.02, u) * smoothstep(0.92, 0.84, u);
      const stamp = head < 0 ? smoothstep(0.012, 0, Math.abs(-head - 0.07)) * 0.6 : 0;
      const patina = fractal(u * 4, v * 4, seed, 4);
      const brush = noise(u * 3, v * 60, seed ^ 3);
      sample.height =
        0.1 + tiltU * u + tiltV * v - 0.05 * v * v + 0.045 * Math.sqrt(inward) - 0.035 * groove - 0.02 * stamp + 0.003 * brush;
      paint(sample, metal, 0.92 + 0.16 * (patina - 0.5) + 0.06 * (brush - 0.5));
      blend(sample, [0.03, 0.025, 0.02], clamp01(0.6 * groove + 0.4 * stamp + 0.25 * smoothstep(0.6, 0.8, patina)));
      finish(sample, 0.66 - 0.2 * patina, 0.75, 0.93);
    };
  },
};

/** A hexagon nut. */
export const nut: ObjectClass = {
  label: 'hex nut',
  tall: false,
  radius: [0.055, 0.1],
  make(random) {
    const seed = noiseSeed(random);
    const metal = vary(hex(random.pick([STEEL, STEEL, BRASS, 0x9a9da1, 0xb7b29a])), 0.1, random.next);
    const tiltU = random.range(-0.08, 0.08);
    const tiltV = random.range(-0.08, 0.08);
    const bore = random.range(0.44, 0.54);
    const rust = random.chance(0.3) ? random.range(0.3, 0.8) : 0.06;
    return (u, v, sample) => {
      const r = Math.hypot(u, v);
      // Hexagon of apothem 0.84: the largest projection on three axes.
      const hexagon = Math.max(Math.abs(u), Math.abs(u * 0.5 + v * 0.8660254), Math.abs(u * 0.5 - v * 0.8660254)) - 0.84;
      sample.distance = Math.max(hexagon, bore - r);
      if (sample.distance > sample.margin) return;
      const chamfer = smoothstep(0.8, 0.97, r);
      const thread = smoothstep(bore + 0.12, bore, r);
      const turns = 0.5 + 0.5 * Math.sin(r * 90 + Math.atan2(v, u));
      const face = clamp01(-hexagon / 0.04);
      const patina = fractal(u * 3, v * 3, seed, 4);
      const lathe = noise(r * 60, 1, seed ^ 3);
      sample.height =
        0.34 + tiltU * u + tiltV * v - 0.16 * chamfer - 0.13 * thread - 0.02 * thread * turns + 0.05 * Math.sqrt(face) + 0.004 * lathe;
      paint(sample, metal, 0.9 + 0.2 * (patina - 0.5) + 0.1 * (lathe - 0.5));
      const stain = rust * smoothstep(0.45, 0.7, fractal(u * 5, v * 5, seed ^ 9, 4));
      blend(sample, hex(0x7a4322), stain);
      blend(sample, [0.03, 0.03, 0.03], 0.55 * thread * turns);
      finish(sample, 0.64 - 0.4 * stain, 0.7 - 0.5 * stain, 0.92 - 0.7 * stain);
    };
  },
};
