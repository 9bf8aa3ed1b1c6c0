/**
 * The `data-testid`s that the end-to-end specs hold on to, and what each one is.
 *
 * - `welcome-folder`   path field (browser host); `welcome-open` opens what it says, or the native picker
 * - `welcome-sample`   "Try the sample project"; `welcome-recent` one recent project
 * - `tool-<name>`      one per tool: select, polygon, box, brush, eraser, prompt, prompt-box; `aria-pressed` tells the current one
 * - `filmstrip-item`   one per image that is in view; `data-image-id`, `data-state`, `aria-current`
 * - `instance-row`     one per annotation and shown suggestion; `data-kind` annotation|suggestion, `data-id`,
 *                      `data-state` drawn|accepted|corrected|imported|suggested, `aria-selected`
 * - `class-row`        `data-label-id`, `aria-pressed`; `class-add`, `class-add-name` the field it opens
 * - `score-slider`     the thumb: `role=slider`, arrows move it by 0.01; `score-shown` "3 of 7"
 * - `predict-image`    the button; `predict-menu` opens the menu with `predict-everything`, `predict-selection`, `predict-untouched`, `predict-folder`
 * - `model-select`     the current model
 * - `prompt-bar`       while a prompt tool is in hand; in it `prompt-state` (`data-state`, `data-cached`) and `prompt-everything`
 * - `run-progress`     `data-state`, `data-finished`, `data-total`; `run-cancel`, `run-resume`, `run-failures`
 * - `export-open`, `export-format` one per format (`data-format`), `export-limits`, `export-out`, `export-run`, `export-progress`, `export-problem`,
 *                      `export-simplify` the thumb and `export-simplify-cost` (`data-before`, `data-after`), `export-report`
 *                      (`data-format`, `data-images`, `data-annotations`, `data-compared`)
 * - `findings`         what was changed or left out, `data-total`; in it `finding-group` (`data-kind`, `data-reason`, `data-count`),
 *                      `finding-search`, `finding-row` (`data-kind`, `data-id`)
 * - `import-open`, `import-place`, `import-format`, `import-images`, `import-read`, `import-plan` (`data-instances`, `data-images`,
 *                      `data-format`), `import-conflict` one per choice (`data-choice`), `import-commit`, `import-progress`, `import-problem`,
 *                      `import-report` (`data-instances`, `data-images`), `welcome-dataset`
 * - `save-state`       `data-kind` clean|saving|saved|failed, `data-revision`
 * - `engine-status`    `data-provider`; opens the popover `engine-details`
 * - `accept-all`       accepts all shown suggestions
 * - `project-name`, `project-close`, `view-<name>` one of tags, boxes, semantic, instance, `legend` (`data-view`; rows `legend-row` with `data-label-id`, `data-here`, `data-project`), `status-pointer`, `status-zoom`
 * - `models-open`      opens the models page, also from the model menu; `model-row` one model: `data-model-id`, `data-state`;
 *                      in it `model-get`, `model-cancel`, `model-remove`, `model-use`, `model-agree` (the checkbox), `model-failure`
 * - `classical-panel`  `data-method`, `data-found`, `data-busy`; the methods in it are `tool-<name>`; `classical-facts` ms and working size of the last answer,
 *                      `classical-keep`, `classical-cancel`; `classical-k`, `classical-spatial`, `classical-tolerance` are thumbs
 * - `model-add`        opens the dialog; in it `model-add-path`, `model-add-read`, `model-field` (`data-key`, `data-certainty`), `model-try`,
 *                      `model-report` (`data-instances`, `data-provider`), `model-keep`, `model-discard`, `model-problem`
 * - `filter-chip`      one condition of the image filter, `data-key`; a click takes it away
 * - `statistics-open`  opens the page; `statistics-page` (`data-instances`, `data-busy`), its charts `chart-<name>`, in them options with
 *                      `data-dataset`, `data-index`; `splits-page` (`data-frozen`, `data-intact`), `split-part` (`data-name`, `data-images`),
 *                      `split-preview`, `split-make`, `split-add`, `split-clear`
 */
export const TEST_IDS = {
  classicalOpen: 'classical-open',
  classicalPanel: 'classical-panel',
  classicalFacts: 'classical-facts',
  classicalKeep: 'classical-keep',
  classicalCancel: 'classical-cancel',
  welcomeFolder: 'welcome-folder',
  welcomeOpen: 'welcome-open',
  welcomeSample: 'welcome-sample',
  welcomeRecent: 'welcome-recent',
  filmstripItem: 'filmstrip-item',
  instanceRow: 'instance-row',
  classRow: 'class-row',
  classAdd: 'class-add',
  classAddName: 'class-add-name',
  scoreSlider: 'score-slider',
  scoreShown: 'score-shown',
  predictImage: 'predict-image',
  predictMenu: 'predict-menu',
  predictRegions: 'predict-regions',
  predictEverything: 'predict-everything',
  predictSelection: 'predict-selection',
  predictUntouched: 'predict-untouched',
  predictFolder: 'predict-folder',
  modelSelect: 'model-select',
  promptBar: 'prompt-bar',
  promptState: 'prompt-state',
  promptEverything: 'prompt-everything',
  modelsOpen: 'models-open',
  modelRow: 'model-row',
  modelGet: 'model-get',
  modelCancel: 'model-cancel',
  modelRemove: 'model-remove',
  modelUse: 'model-use',
  modelAgree: 'model-agree',
  modelFailure: 'model-failure',
  modelAdd: 'model-add',
  modelReturn: 'model-return',
  returnPath: 'return-path',
  returnFormer: 'return-former',
  returnRun: 'return-run',
  returnUse: 'return-use',
  returnProblem: 'return-problem',
  returnReport: 'return-report',
  returnHistory: 'return-history',
  modelAddPath: 'model-add-path',
  modelAddRead: 'model-add-read',
  modelField: 'model-field',
  modelTry: 'model-try',
  modelReport: 'model-report',
  modelKeep: 'model-keep',
  modelDiscard: 'model-discard',
  modelProblem: 'model-problem',
  runProgress: 'run-progress',
  runCancel: 'run-cancel',
  runResume: 'run-resume',
  runFailures: 'run-failures',
  exportOpen: 'export-open',
  exportOut: 'export-out',
  exportRun: 'export-run',
  exportReport: 'export-report',
  exportFormat: 'export-format',
  exportLimits: 'export-limits',
  exportProblem: 'export-problem',
  exportProgress: 'export-progress',
  exportSimplify: 'export-simplify',
  exportSimplifyCost: 'export-simplify-cost',
  findings: 'findings',
  findingGroup: 'finding-group',
  findingSearch: 'finding-search',
  findingRow: 'finding-row',
  importOpen: 'import-open',
  importPlace: 'import-place',
  importFormat: 'import-format',
  importImages: 'import-images',
  importUnknown: 'import-unknown',
  importRead: 'import-read',
  importPlan: 'import-plan',
  importConflict: 'import-conflict',
  importCommit: 'import-commit',
  importProgress: 'import-progress',
  importProblem: 'import-problem',
  importReport: 'import-report',
  welcomeDataset: 'welcome-dataset',
  damageNotice: 'damage-notice',
  filterChip: 'filter-chip',
  evaluationPage: 'evaluation-page',
  evaluationSource: 'evaluation-source',
  evaluationSplit: 'evaluation-split',
  evaluationDone: 'evaluation-done',
  evaluationFile: 'evaluation-file',
  evaluationRun: 'evaluation-run',
  evaluationFigures: 'evaluation-figures',
  evaluationClasses: 'evaluation-classes',
  evaluationConfusion: 'evaluation-confusion',
  evaluationIou: 'evaluation-iou',
  evaluationScore: 'evaluation-score',
  evaluationCounts: 'evaluation-counts',
  evaluationCases: 'evaluation-cases',
  evaluationCase: 'evaluation-case',
  evaluationOutlines: 'evaluation-outlines',
  statisticsOpen: 'statistics-open',
  statisticsPage: 'statistics-page',
  splitsPage: 'splits-page',
  splitPart: 'split-part',
  splitPreview: 'split-preview',
  splitMake: 'split-make',
  splitAdd: 'split-add',
  splitClear: 'split-clear',
  saveState: 'save-state',
  engineStatus: 'engine-status',
  engineDetails: 'engine-details',
  providersOpen: 'providers-open',
  providersPage: 'providers-page',
  providersRetry: 'providers-retry',
  providersMeasure: 'providers-measure',
  providerRow: 'provider-row',
  providerThreads: 'provider-threads',
  providerTimes: 'provider-times',
  gpuLibraries: 'gpu-libraries',
  gpuInstall: 'gpu-install',
  gpuCancel: 'gpu-cancel',
  gpuRemove: 'gpu-remove',
  gpuFailure: 'gpu-failure',
  acceptAll: 'accept-all',
  projectName: 'project-name',
  projectClose: 'project-close',
  legend: 'legend',
  legendRow: 'legend-row',
  tagChip: 'tag-chip',
  tagAdd: 'tag-add',
  cutoutPreview: 'cutout-preview',
  cutoutInstances: 'cutout-instances',
  cutoutOut: 'cutout-out',
  cutoutRun: 'cutout-run',
  cutoutReport: 'cutout-report',
  picturesOut: 'pictures-out',
  picturesRun: 'pictures-run',
  picturesReport: 'pictures-report',
  statusPointer: 'status-pointer',
  statusZoom: 'status-zoom',
} as const;

export function toolTestId(tool: string): string {
  return `tool-${tool}`;
}
