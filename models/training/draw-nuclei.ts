/**
 * Draws a picture like a fluorescence micrograph, the golden picture of `unet-nuclei`:
 *
 *     node models/training/draw-nuclei.ts models/unet-nuclei/golden/cells.png
 *
 * 300 x 220 pixels, no multiple of the network's 16 on purpose: bright ellipses with a soft rim on a dark
 * ground, and a little noise from a linear congruential generator.
 */
import sharp from 'sharp';

const [width, height] = [300, 220];
let state = 20261122;
function random(): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 4294967296;
}
const light = new Float64Array(width * height).fill(10);
for (let row = 0; row < 4; row++) {
  for (let column = 0; column < 5; column++) {
    const x0 = 35 + column * 57 + 14 * (random() - 0.5);
    const y0 = 30 + row * 53 + 14 * (random() - 0.5);
    const [a, b, turn, bright] = [8 + 5 * random(), 6 + 3 * random(), Math.PI * random(), 40 + 90 * random()];
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const u = ((x - x0) * Math.cos(turn) + (y - y0) * Math.sin(turn)) / a;
        const v = ((y - y0) * Math.cos(turn) - (x - x0) * Math.sin(turn)) / b;
        const depth = (1 - Math.hypot(u, v)) * b;
        const share = Math.min(1, Math.max(0, depth / 2 + 0.5));
        const i = y * width + x;
        light[i] = Math.max(light[i] ?? 0, 10 + share * bright * (0.8 + 0.2 * Math.max(0, 1 - Math.hypot(u, v))));
      }
    }
  }
}
const rgb = new Uint8Array(width * height * 3);
for (const [i, value] of light.entries()) rgb.fill(Math.round(Math.min(255, Math.max(0, value + 5 * (random() - 0.5)))), i * 3, i * 3 + 3);
await sharp(rgb, { raw: { width, height, channels: 3 } }).png({ compressionLevel: 9 }).toFile(process.argv[2] ?? 'cells.png');
