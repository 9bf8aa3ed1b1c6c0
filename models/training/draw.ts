/** Draws one scene: `node models/training/draw.ts SEED WIDTH HEIGHT OUT` (the ending of OUT says the format). */
import sharp from 'sharp';
import { drawScene } from '../../src/shared/scenes/index.ts';

const [seed, width, height, out] = process.argv.slice(2);
if (out === undefined) throw new Error('draw: SEED WIDTH HEIGHT OUT expected');
const scene = drawScene(Number(seed), { width: Number(width), height: Number(height) });
await sharp(scene.rgb, { raw: { width: scene.width, height: scene.height, channels: 3 } })
  .png({ compressionLevel: 9 })
  .jpeg({ quality: 92, chromaSubsampling: '4:4:4', force: false })
  .toFile(out);
