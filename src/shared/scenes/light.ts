import type { Random } from './random.ts';
import type { Colour } from './material.ts';
import type { Layers } from './layers.ts';
import { clamp01, smoothstep } from './noise.ts';

/** One lamp or window, and the light that comes from everywhere. */
export interface Light {
  /** Unit vector towards the lamp: x right, y down, z up to the camera. */
  readonly x: number;
  readonly y: number;
  readonly z: number;
  readonly colour: Colour;
  readonly ambient: Colour;
  /** Half-width of the penumbra per length of shadow: 0.05 is hard, 0.5 is a big window. */
  readonly softness: number;
  /** How the light falls off across the picture: the bright side is towards the lamp. */
  readonly falloff: number;
}

/** A lamp drawn by chance: daylight by a window, an overcast day, a warm lamp, late sun. */
export function makeLight(random: Random): Light {
  const kind = random.pick(['window', 'window', 'overcast', 'lamp', 'sun']);
  const azimuth = random.range(0, 2 * Math.PI);
  const steep = kind === 'sun' ? random.range(0.55, 0.95) : kind === 'overcast' ? random.range(0.95, 1.25) : random.range(0.65, 1.05);
  const horizontal = Math.cos(steep);
  const shade = random.range(0.9, 1.1);
  const look = {
    window: { colour: [2.3, 2.3, 2.35], ambient: [0.6, 0.63, 0.68], softness: 0.3 },
    overcast: { colour: [1.3, 1.33, 1.4], ambient: [1.0, 1.03, 1.08], softness: 0.6 },
    lamp: { colour: [2.6, 2.15, 1.6], ambient: [0.5, 0.45, 0.4], softness: 0.2 },
    sun: { colour: [3.3, 2.95, 2.4], ambient: [0.5, 0.55, 0.66], softness: 0.09 },
  }[kind] ?? { colour: [2.3, 2.3, 2.35], ambient: [0.6, 0.63, 0.68], softness: 0.3 };
  const [r = 1, g = 1, b = 1] = look.colour;
  const [ar = 1, ag = 1, ab = 1] = look.ambient;
  return {
    x: Math.cos(azimuth) * horizontal,
    y: Math.sin(azimuth) * horizontal,
    z: Math.sin(steep),
    colour: [r * shade, g * shade, b * shade],
    ambient: [ar, ag, ab],
    softness: look.softness * random.range(0.8, 1.25),
    falloff: random.range(0.05, 0.35),
  };
}

/**
 * Light arriving at every pixel: linear RGB, `width * height * 3` floats of any brightness.
 * Diffuse (Lambert) with marched soft shadows and ambient occlusion, Blinn-Phong highlights, and a small
 * imagined room that metal and glaze reflect (Schlick's Fresnel term).
 */
export function shade(layers: Layers, light: Light): Float32Array {
  const { width, height, albedo, slope, finish } = layers;
  const shadow = castShadows(layers, light);
  const open = openness(layers);
  const out = new Float32Array(width * height * 3);
  const hx = light.x;
  const hy = light.y;
  const hz = light.z + 1;
  const hl = 1 / Math.hypot(hx, hy, hz);
  const across = 1 / Math.hypot(width, height);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const sx = slope[2 * i]!;
      const sy = slope[2 * i + 1]!;
      const nl = 1 / Math.sqrt(1 + sx * sx + sy * sy);
      const nx = -sx * nl;
      const ny = -sy * nl;
      const nz = nl;
      const lit = shadow[i]! * (1 + light.falloff * 2 * ((x - width / 2) * light.x + (y - height / 2) * light.y) * across);
      const facing = Math.max(0, nx * light.x + ny * light.y + nz * light.z);
      const air = open[i]!;
      const gloss = finish[3 * i]!;
      const metal = finish[3 * i + 2]!;
      const grazing = 1 - nz;
      const g2 = grazing * grazing;
      const f0 = finish[3 * i + 1]!;
      const fresnel = f0 + (1 - f0) * g2 * g2 * grazing * (0.2 + 0.8 * gloss);
      // Blinn-Phong with an energy-keeping scale: wide highlights are weak, narrow ones strong.
      const power = 2 + 380 * gloss * gloss * gloss * gloss;
      const half = Math.max(0, (nx * hx + ny * hy + nz * hz) * hl);
      const sparkle = ((power + 8) / 25) * Math.exp(power * Math.log(half + 1e-6)) * lit * (metal > 0.5 ? 0.35 : 1);
      // The view comes from straight above, so the mirrored ray is 2(n·z)n − z.
      const rx = 2 * nz * nx;
      const ry = 2 * nz * ny;
      const rz = 2 * nz * nz - 1;
      const toLamp = rx * light.x + ry * light.y + rz * light.z;
      const room =
        (0.22 +
          0.3 * rz +
          1.15 * smoothstep(0.2, 1, toLamp) +
          1.2 * gloss * smoothstep(0.9, 0.97, toLamp) +
          0.45 * smoothstep(0.2, 0.5, ry * 0.8 - rx * 0.5)) *
        (0.35 + 0.65 * air) *
        (0.55 + 0.45 * shadow[i]!);
      for (let channel = 0; channel < 3; channel++) {
        const colour = albedo[3 * i + channel]!;
        const beam = light.colour[channel]!;
        const around = light.ambient[channel]!;
        const tint = metal * colour + (1 - metal);
        const diffuse = colour * (1 - 0.94 * metal) * (beam * facing * lit + around * air * (0.75 + 0.25 * nz));
        const mirror = fresnel * tint * (sparkle * beam * facing + room * (around * 0.9 + beam * 0.42) * (0.25 + 0.75 * gloss));
        out[3 * i + channel] = diffuse + mirror;
      }
    }
  }
  return out;
}

/**
 * Share of the lamp seen from each pixel, 0..1: the height map is marched towards the lamp at half resolution; a
 * blocker counts by how far it reaches into the penumbra cone (Quilez, "Soft shadows in raymarched SDFs").
 */
function castShadows(layers: Layers, light: Light): Float32Array {
  const { width, height, level } = layers;
  const w = (width + 1) >> 1;
  const h = (height + 1) >> 1;
  const low = new Float32Array(w * h);
  const lift = new Float32Array(w * h);
  let peak = 0;
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      const i = Math.min(height - 1, 2 * y) * width + Math.min(width - 1, 2 * x);
      const value = level[i]!;
      low[y * w + x] = value;
      // A steep place must not be blocked by its own neighbour: rays start higher there.
      lift[y * w + x] = 1 + 3 * Math.hypot(layers.slope[2 * i]!, layers.slope[2 * i + 1]!);
      if (value > peak) peak = value;
    }
  }
  const flat = Math.hypot(light.x, light.y);
  const dx = light.x / flat;
  const dy = light.y / flat;
  const climb = light.z / flat;
  const half = new Float32Array(w * h);
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      const start = low[y * w + x]! + lift[y * w + x]!;
      let blocked = 0;
      // Distances in full-resolution pixels; two of them are one step of the half-resolution map.
      for (let t = 2; t < 400; t += 2 + t * 0.03) {
        const ray = start + t * climb;
        const spread = 1 + t * light.softness;
        if (ray - spread > peak || blocked >= 1) break;
        const px = Math.round(x + (dx * t) / 2);
        const py = Math.round(y + (dy * t) / 2);
        if (px < 0 || py < 0 || px >= w || py >= h) break;
        const over = (low[py * w + px]! - ray) / spread;
        const share = 0.5 + 0.5 * over;
        // A ray that only just clears the ground it stands on isn't blocked by it.
        if (share > blocked && low[py * w + px]! > start) blocked = share;
      }
      half[y * w + x] = 1 - smoothstep(0, 1, blocked);
    }
  }
  blur(half, w, h, 1);
  const out = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    const fy = Math.min(h - 1, y / 2);
    const y0 = Math.floor(fy);
    const y1 = Math.min(h - 1, y0 + 1);
    const ty = fy - y0;
    for (let x = 0; x < width; x++) {
      const fx = Math.min(w - 1, x / 2);
      const x0 = Math.floor(fx);
      const x1 = Math.min(w - 1, x0 + 1);
      const tx = fx - x0;
      const top = half[y0 * w + x0]! * (1 - tx) + half[y0 * w + x1]! * tx;
      const bottom = half[y1 * w + x0]! * (1 - tx) + half[y1 * w + x1]! * tx;
      out[y * width + x] = top + (bottom - top) * ty;
    }
  }
  return out;
}

/** Ambient light left at each pixel, 0..1: darker where the surroundings stand higher, at two scales. */
function openness(layers: Layers): Float32Array {
  const { width, height, level } = layers;
  const short = Math.min(width, height);
  const near = Float32Array.from(level);
  const nearRadius = Math.max(2, Math.round(short * 0.008));
  blur(near, width, height, nearRadius);
  const far = Float32Array.from(level);
  const farRadius = Math.max(4, Math.round(short * 0.03));
  blur(far, width, height, farRadius);
  const out = new Float32Array(width * height);
  for (let i = 0; i < out.length; i++) {
    const here = level[i]!;
    const shut = Math.max(0, near[i]! - here) / (nearRadius * 2.2) + Math.max(0, far[i]! - here) / (farRadius * 2.6);
    out[i] = 1 - 0.75 * clamp01(shut);
  }
  return out;
}

/** Two passes of a box blur in both directions, in place; the border repeats. */
export function blur(field: Float32Array, width: number, height: number, radius: number): void {
  const line = new Float32Array(Math.max(width, height));
  for (let pass = 0; pass < 2; pass++) {
    for (let y = 0; y < height; y++) boxLine(field, line, y * width, 1, width, radius);
    for (let x = 0; x < width; x++) boxLine(field, line, x, width, height, radius);
  }
}

function boxLine(field: Float32Array, line: Float32Array, start: number, step: number, count: number, radius: number): void {
  for (let k = 0; k < count; k++) line[k] = field[start + k * step]!;
  let sum = line[0]! * (radius + 1);
  for (let k = 1; k <= radius; k++) sum += line[Math.min(count - 1, k)]!;
  const scale = 1 / (2 * radius + 1);
  for (let k = 0; k < count; k++) {
    field[start + k * step] = sum * scale;
    sum += line[Math.min(count - 1, k + radius + 1)]! - line[Math.max(0, k - radius)]!;
  }
}
