/** What lies over the window: one dialog at a time. */
export type DialogState =
  | { readonly kind: 'export' }
  | { readonly kind: 'cutout' }
  | { readonly kind: 'pictures'; readonly what: 'overlays' | 'counts' }
  | { readonly kind: 'shortcuts' }
  | { readonly kind: 'palette' }
  | { readonly kind: 'models' }
  | { readonly kind: 'add-model'; readonly paths: readonly string[] }
  | { readonly kind: 'providers' }
  | { readonly kind: 'label'; readonly labelId: number }
  | { readonly kind: 'failures'; readonly runId: number }
  | { readonly kind: 'confirm'; readonly title: string; readonly text: string; readonly action: string; readonly run: () => void };
