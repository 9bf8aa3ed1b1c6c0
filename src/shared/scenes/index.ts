export { drawScene, SCENE_LABELS } from './scene.ts';
export type { Scene, SceneObject } from './scene.ts';
export { SAMPLE_FIRST_SEED, SAMPLE_SCENES } from './sample.ts';
export type { SampleScene } from './sample.ts';
