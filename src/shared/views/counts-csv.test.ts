import { expect, it } from 'vitest';
import type { Label } from '../records.ts';
import { countsCsv } from './counts-csv.ts';

const label = (id: number, name: string): Label => ({ id, name, color: '#000000', hotkey: null, position: id });

it('writes a line for each image and class, then totals, and quotes what has to be quoted', () => {
  const labels = [label(7, 'nut, hex'), label(2, 'a "bolt"')];
  const images = [
    { id: 1, path: 'a.jpg', state: 'done' as const },
    { id: 2, path: 'b,c.jpg', state: 'new' as const },
    { id: 3, path: 'd.jpg', state: 'predicted' as const },
  ];
  const counts = [
    { imageId: 1, labelId: 2, annotations: 2, suggestions: 1 },
    { imageId: 1, labelId: 7, annotations: 0, suggestions: 4 },
    { imageId: 3, labelId: 7, annotations: 5, suggestions: 0 },
  ];
  expect(countsCsv(labels, images, counts).split('\r\n')).toEqual([
    'image,state,class,annotations,suggestions',
    'a.jpg,done,"nut, hex",0,4',
    'a.jpg,done,"a ""bolt""",2,1',
    '"b,c.jpg",new,,0,0',
    'd.jpg,predicted,"nut, hex",5,0',
    ',total,"nut, hex",5,4',
    ',total,"a ""bolt""",2,1',
    '',
  ]);
});
