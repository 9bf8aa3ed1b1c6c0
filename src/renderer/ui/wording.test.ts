import { describe, expect, it } from 'vitest';
import { ago, counted, duration, fileName, fileSize, providerName, roughDuration } from './wording.ts';

describe('wording', () => {
  it('counts in words', () => {
    expect(counted(1, 'image')).toBe('1 image');
    expect(counted(12345, 'image')).toBe('12,345 images');
    expect(counted(0, 'class', 'classes')).toBe('0 classes');
  });

  it('says how long, exactly and roughly', () => {
    expect(duration(213.6)).toBe('214 ms');
    expect(duration(1980)).toBe('2.0 s');
    expect(duration(59_400)).toBe('59 s');
    expect(duration(200_000)).toBe('3 min 20 s');
    expect(duration(7_500_000)).toBe('2 h 5 min');
    expect(roughDuration(300)).toBe('1 s');
    expect(roughDuration(100_000)).toBe('2 min');
    expect(roughDuration(5_400_000)).toBe('1.5 h');
  });

  it('says when', () => {
    const now = Date.UTC(2026, 5, 10, 12);
    expect(ago(now - 10_000, now)).toBe('just now');
    expect(ago(now - 5 * 60_000, now)).toBe('5 min ago');
    expect(ago(now - 3 * 3_600_000, now)).toBe('3 h ago');
    expect(ago(now - 30 * 3_600_000, now)).toBe('yesterday');
    expect(ago(now - 72 * 3_600_000, now)).toMatch(/2026$/);
  });

  it('names files, sizes and providers', () => {
    expect(fileName('a/b/c.jpg')).toBe('c.jpg');
    expect(fileName('c.jpg')).toBe('c.jpg');
    expect(fileSize(900)).toBe('1 kB');
    expect(fileSize(7_340_000)).toBe('7.3 MB');
    expect(fileSize(15_900_000)).toBe('16 MB');
    expect(providerName('cpu')).toBe('CPU');
    expect(providerName('qnn')).toBe('qnn');
  });
});
