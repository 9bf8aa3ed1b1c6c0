import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Finding } from './dataset.ts';
import { anyProject, sourceOf } from './projects.test-support.ts';
import { FORMATS } from './registry.ts';
import { listen, readBack } from './round-trip.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'maskloop-formats-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const writers = FORMATS.flatMap((format) => (format.writer ? [{ id: format.id, format, writer: format.writer }] : []));

describe.each(writers)('$id', ({ id, format, writer }) => {
  it('keeps any project: what is read again is what was written, and whatever is not was told', async () => {
    for (let seed = 1; seed <= 12; seed++) {
      const project = anyProject(seed);
      const source = sourceOf(project);
      const out = join(folder, `${id}-${seed}`);
      await mkdir(out);
      const findings: Finding[] = [];
      const told = listen();
      await writer.write(
        source,
        out,
        { images: 'leave', onImage: told.onImage, onInstance: told.onInstance },
        (finding) => void findings.push(finding),
      );
      const back = await readBack(format, source, told, { folder: out, images: project.folder, scratch: `${out}.read` }).catch(
        (thrown: unknown) => {
          throw new Error(`seed ${seed}`, { cause: thrown });
        },
      );
      expect(back.imagesCompared).toBe([...told.images.values()].filter((path) => path !== null).length);
      if (writer.fidelity !== null && told.instances.size === 0) expect(back.minIou).toBeGreaterThanOrEqual(writer.fidelity - 1e-9);
      for (const [number] of told.instances) {
        const said = findings.some((finding) => finding.what === 'annotation' && finding.id === String(number));
        const image = project.images.find((each) => project.documents.get(each.id)?.some((item) => item.number === number));
        const with_ = findings.some((finding) => finding.what === 'image' && finding.id === image?.path);
        expect(said || with_, `annotation ${number} of seed ${seed} was left out or changed in silence`).toBe(true);
      }
    }
  });
});
