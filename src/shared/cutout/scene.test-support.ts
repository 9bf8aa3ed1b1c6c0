/** A picture whose true alpha is known: a soft-edged disc with spikes, before a striped ground. */
export interface KnownScene {
  readonly width: number;
  readonly height: number;
  readonly rgb: Uint8Array;
  readonly alpha: Float32Array;
  readonly front: (x: number, y: number) => readonly [number, number, number];
  /** What a person would have drawn: alpha above a half, pushed out by `slip` pixels to one side. */
  readonly mask: Uint8Array;
}

export function knownScene(width = 160, height = 120, slip = 1): KnownScene {
  const front = (x: number, y: number): readonly [number, number, number] => [205 + 18 * Math.sin(x / 9), 120 + 20 * Math.cos(y / 11), 40];
  const back = (x: number, y: number): readonly [number, number, number] => [
    40,
    90 + 25 * Math.sin((x + y) / 13),
    150 + 30 * Math.cos(x / 17),
  ];
  const coverage = (x: number, y: number): number => {
    const [dx, dy] = [x - width / 2, y - height / 2];
    const spike = 3 * Math.cos(14 * Math.atan2(dy, dx));
    return Math.min(1, Math.max(0, (36 + spike - Math.hypot(dx, dy)) / 4 + 0.5));
  };
  const rgb = new Uint8Array(width * height * 3);
  const alpha = new Float32Array(width * height);
  const mask = new Uint8Array(width * height);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const a = coverage(x, y);
      const [f, b] = [front(x, y), back(x, y)];
      alpha[i] = a;
      mask[i] = coverage(x - slip, y) > 0.5 ? 1 : 0;
      for (let c = 0; c < 3; c++) rgb[i * 3 + c] = Math.round(a * (f[c] ?? 0) + (1 - a) * (b[c] ?? 0));
    }
  }
  return { width, height, rgb, alpha, front, mask };
}
