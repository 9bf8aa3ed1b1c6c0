import type { ObjectClass } from './object.ts';
import { citrus, mug, tomato } from './kitchen.ts';
import { coin, key, nut } from './metalware.ts';
import { button, leaf } from './smalls.ts';

/** Every class that a scene may hold, in the order of the category ids (the first is 1). */
export const OBJECT_CLASSES: readonly ObjectClass[] = [mug, tomato, citrus, coin, key, nut, button, leaf];
