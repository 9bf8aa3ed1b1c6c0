/** How many images besides the shown one stay decoded. */
const KEPT = 3;

export interface ImageCache {
  /** The decoded image; throws when it cannot be fetched or decoded. */
  load(url: string): Promise<HTMLImageElement>;
  prefetch(urls: readonly string[]): void;
}

/** Decoded images by address, the least recently asked for dropped first. */
export function createImageCache(): ImageCache {
  const kept = new Map<string, Promise<HTMLImageElement>>();

  function fetchImage(url: string): Promise<HTMLImageElement> {
    const known = kept.get(url);
    kept.delete(url);
    const loading = known ?? decode(url);
    kept.set(url, loading);
    // A failure is told to whoever waits, and tried anew the next time.
    loading.catch(() => kept.get(url) === loading && kept.delete(url));
    while (kept.size > KEPT + 1) {
      const [oldest] = kept.keys();
      if (oldest === undefined) break;
      kept.delete(oldest);
    }
    return loading;
  }

  return {
    load: fetchImage,
    prefetch(urls) {
      for (const url of urls.slice(0, KEPT)) void fetchImage(url).catch(() => undefined);
    },
  };
}

async function decode(url: string): Promise<HTMLImageElement> {
  const image = new Image();
  image.decoding = 'async';
  image.src = url;
  await image.decode();
  return image;
}
