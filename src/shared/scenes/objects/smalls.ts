import type { ObjectClass } from './object.ts';
import { noiseSeed } from './object.ts';
import type { Colour } from '../material.ts';
import { blend, finish, hex, paint, vary } from '../material.ts';
import { clamp01, fractal, noise, smoothstep } from '../noise.ts';

/** A sewing button with two or four holes. */
export const button: ObjectClass = {
  label: 'button',
  tall: false,
  radius: [0.055, 0.1],
  make(random) {
    const seed = noiseSeed(random);
    const kind = random.pick(['plastic', 'plastic', 'horn', 'pearl', 'wood']);
    const base = vary(
      hex(
        kind === 'horn'
          ? random.pick([0x5a3a22, 0x8b6a45, 0x3a2a20])
          : kind === 'pearl'
            ? random.pick([0xe9e4da, 0xd8dcd8])
            : kind === 'wood'
              ? random.pick([0xb88a58, 0x9a6a3c])
              : random.pick([0xb8322f, 0x2f5f9e, 0x2f7f5f, 0xe2b13c, 0xe9e6df, 0x26282c, 0x7d4f8c, 0xd9788c, 0x4aa3a8]),
      ),
      0.12,
      random.next,
    );
    const holes = random.pick([2, 4, 4]);
    const spread = holes === 2 ? 0.2 : 0.27;
    const size = random.range(0.1, 0.135);
    const brim = random.range(0.66, 0.76);
    const turned = random.range(0, 6);
    return (u, v, sample) => {
      const r = Math.hypot(u, v);
      const hu = Math.abs(u) - spread * (holes === 2 ? 1 : 0.7071);
      const hv = holes === 2 ? v : Math.abs(v) - spread * 0.7071;
      const hole = Math.hypot(hu, hv);
      sample.distance = Math.max(r - 0.97, size - hole);
      if (sample.distance > sample.margin) return;
      const ring = Math.exp(-((r - (brim + 0.97) / 2) ** 2) / 0.012);
      const dish = smoothstep(brim, brim - 0.14, r);
      const lip = smoothstep(size + 0.05, size, hole);
      sample.height = 0.14 + 0.11 * ring - 0.05 * dish - 0.04 * lip + 0.1 * Math.sqrt(clamp01((0.97 - r) / 0.1)) - 0.1;
      const streak = fractal(u * 2 + Math.cos(turned) * v, v * 7 + u * Math.sin(turned) * 3, seed, 4);
      if (kind === 'plastic') paint(sample, base, 0.94 + 0.1 * (streak - 0.5));
      else paint(sample, base, 0.7 + 0.65 * streak);
      if (kind === 'pearl') {
        const tint = fractal(u * 3, v * 3, seed ^ 5, 3);
        blend(sample, tint > 0.5 ? hex(0xe6cdd4) : hex(0xc4dcd6), 0.8 * Math.abs(tint - 0.5) * 2);
      }
      if (kind === 'wood') blend(sample, hex(0x5a3820), 0.5 * smoothstep(0.5, 0.8, noise(u * 3, v * 26, seed ^ 7)));
      blend(sample, [base[0] * 0.3, base[1] * 0.3, base[2] * 0.3], 0.6 * lip);
      finish(sample, kind === 'wood' ? 0.3 : 0.78, 0.045, 0);
    };
  },
};

/** A leaf: blade with a saw edge, midrib, side veins, stalk; green or autumn. */
export const leaf: ObjectClass = {
  label: 'leaf',
  tall: false,
  radius: [0.13, 0.21],
  make(random) {
    const seed = noiseSeed(random);
    const autumn = random.chance(0.5);
    const base = vary(
      hex(autumn ? random.pick([0xc9882a, 0xb5502a, 0x8f2f22, 0x9a6b33, 0xd0a83c]) : random.pick([0x4c7a2b, 0x3a6a30, 0x6a8f3a, 0x54803f])),
      0.15,
      random.next,
    );
    const other = vary(hex(autumn ? random.pick([0xd7b04a, 0x7d3a1e, 0x6f7a30]) : random.pick([0x7d9a45, 0x2f5a28])), 0.15, random.next);
    const rib: Colour = [base[0] * 0.5 + 0.25, base[1] * 0.5 + 0.22, base[2] * 0.5 + 0.1];
    const broad = random.range(0.4, 0.58);
    const peak = random.range(0.28, 0.5);
    const bend = random.range(-0.16, 0.16);
    const blunt = random.range(0.65, 1);
    const pointed = random.range(0.8, 1.35);
    const teeth = random.integer(9, 16);
    const saw = random.range(0, 0.035);
    const pairs = random.integer(6, 9);
    const curl = random.range(-0.2, 0.3);
    return (u, v, sample) => {
      const t = clamp01((u + 0.72) / 1.7);
      const spine = bend * (4 * t * (1 - t) - 0.5);
      const w = v - spine;
      // Width along the spine: swells to `peak`, then narrows to a drawn-out tip.
      const rise = Math.sin(0.5 * Math.PI * clamp01(t / peak));
      const fall = Math.cos(0.5 * Math.PI * clamp01((t - peak) / (1 - peak)));
      const half = broad * Math.pow(rise, blunt) * Math.pow(fall, pointed);
      const tooth = saw * (1 - Math.abs(((t * teeth) % 1) * 2 - 1) * 1.4);
      const blade = (Math.abs(w) - half - tooth * smoothstep(0, 0.2, half)) * 0.8;
      const ends = Math.max(-0.72 - u, u - 0.98);
      const stalk = Math.max(Math.abs(v - spine) - 0.032, -0.98 - u, u + 0.5);
      sample.distance = Math.min(Math.max(blade, ends), stalk);
      if (sample.distance > sample.margin) return;
      const reach = Math.abs(w) / (half + 0.02);
      const slant = t * pairs - Math.abs(w) * 2.1;
      const vein = smoothstep(0.12, 0.03, Math.abs(slant - Math.round(slant)) * (0.6 + 0.4 * reach)) * smoothstep(1.05, 0.7, reach);
      const mid = smoothstep(0.035 * (1.2 - t), 0.01, Math.abs(w));
      const mesh = noise(u * 30, w * 30, seed ^ 3);
      const patch = fractal(u * 2.3, v * 2.3, seed, 4);
      paint(sample, base, 0.85 + 0.3 * (mesh - 0.5) * 0.6);
      blend(sample, other, smoothstep(0.42, 0.7, patch + 0.18 * (reach - 0.5)));
      blend(sample, hex(0x4a3018), (autumn ? 0.75 : 0.3) * smoothstep(0.66, 0.78, fractal(u * 5, v * 5, seed ^ 8, 4) + 0.1 * reach));
      blend(sample, rib, 0.45 * vein + 0.85 * mid * (1 - 0.45 * vein));
      if (u < -0.72) paint(sample, rib, 0.7);
      const wave = fractal(u * 1.6, v * 1.6, seed ^ 12, 2);
      sample.height =
        0.05 +
        Math.max(0, curl * reach * reach * half + 0.16 * wave) +
        0.025 * (1 - vein) * (0.5 + 0.5 * Math.cos(2 * Math.PI * slant)) -
        0.03 * mid;
      finish(sample, autumn ? 0.3 : 0.5, 0.04, 0);
    };
  },
};
