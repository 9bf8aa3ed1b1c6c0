/**
 * Class colours. The first seven are a brightened Okabe-Ito set (colour-blind-safe: Okabe & Ito,
 * "Color Universal Design", 2008); further ones walk the hue circle by the golden angle in OKLCH at
 * the lightness and chroma of the first, so that neighbours stay apart.
 */
const FIRST = ['#F2A93B', '#56B4E9', '#3CC48F', '#D55E00', '#CC79A7', '#0072B2', '#F0E442'] as const;
const GOLDEN_ANGLE = 137.50776405;

/** The colour of the class at `index` (from 0), `#RRGGBB`. */
export function classColor(index: number): string {
  const first = FIRST[index];
  if (first) return first;
  const step = index - FIRST.length;
  const lightness = step % 2 === 0 ? 0.74 : 0.62;
  return oklchToHex(lightness, 0.14, (30 + step * GOLDEN_ANGLE) % 360);
}

/** OKLCH (lightness 0..1, chroma, hue in degrees) to sRGB hex, clipped (Ottosson, "Oklab", 2020). */
export function oklchToHex(lightness: number, chroma: number, hueDegrees: number): string {
  const hue = (hueDegrees * Math.PI) / 180;
  const a = chroma * Math.cos(hue);
  const b = chroma * Math.sin(hue);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const linear = [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
  const hex = linear.map((value) => {
    const clipped = Math.min(1, Math.max(0, value));
    const encoded = clipped <= 0.0031308 ? 12.92 * clipped : 1.055 * clipped ** (1 / 2.4) - 0.055;
    return Math.round(encoded * 255)
      .toString(16)
      .padStart(2, '0');
  });
  return `#${hex.join('').toUpperCase()}`;
}
