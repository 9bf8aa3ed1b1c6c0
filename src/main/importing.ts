import { randomUUID } from 'node:crypto';
import { readdirSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type {
  ImportCommitOptions,
  ImportFindingQuery,
  ImportInspection,
  ImportListing,
  ImportPlan,
  ImportProgress,
  ImportReadOptions,
  ImportReport,
  ImportUndoOptions,
  ImportUndoReport,
} from '../shared/calls/imports.ts';
import { AppError } from '../shared/errors.ts';
import type { Finding, FormatId } from '../shared/formats.ts';
import { detectFormats, formatOf } from './formats/registry.ts';
import type { ImportThread } from './import-thread.ts';
import { startImportThread } from './import-thread.ts';
import type { Paced } from './paced.ts';
import type { Project } from './project.ts';

/** Imports into the open project: one reading at a time, kept aside until it is committed or discarded. */
export interface Importing {
  inspect(place: string): Promise<ImportInspection>;
  /** Waits for the scan first. Throws `conflict` while another reading or writing goes on, and as the reader. */
  read(options: ImportReadOptions): Promise<ImportPlan>;
  /** Throws `not-found` for a reading that is gone. */
  findings(query: ImportFindingQuery): Promise<{ readonly total: number; readonly rows: readonly Finding[] }>;
  /** All of it or nothing. Throws `conflict` while a model runs on the project, `cancelled`, and as the store. */
  commit(options: ImportCommitOptions): Promise<ImportReport>;
  discard(id: number): Promise<void>;
  /** The project's imports, the newest first. */
  list(): Promise<readonly ImportListing[]>;
  /** Takes a whole import back, all that can be or nothing; what was read is discarded. Throws as `commit`, and as the store. */
  undo(options: ImportUndoOptions): Promise<ImportUndoReport>;
  cancel(): void;
  /** Cancels, waits for the end, and removes what was staged. */
  close(): Promise<void>;
}

export interface ImportEvents {
  readonly progress: Paced<ImportProgress>;
  /** After a commit, or when one was taken back. */
  committed(): void;
}

const STAGING = /^import-[0-9a-f-]{36}\.staging$/;

interface Reading {
  readonly id: number;
  readonly project: Project;
  readonly thread: ImportThread;
  readonly place: string;
}

export function createImporting(current: () => Project, clock: () => number, events: ImportEvents): Importing {
  let reading: Reading | null = null;
  let undoing: ImportThread | null = null;
  let lastId = 0;
  /** Threads that tidy up what they wrote; nobody waits for them but the end. */
  let leaving: Promise<unknown> = Promise.resolve();
  /** The question that goes on; others wait for its end with a `conflict`. */
  let busy: Promise<unknown> | null = null;

  async function alone<T>(work: () => Promise<T>): Promise<T> {
    if (busy) throw new AppError('conflict', 'An import is running already.');
    const running = work();
    busy = running.catch(() => undefined);
    try {
      return await running;
    } finally {
      busy = null;
      events.progress.stop();
    }
  }

  async function drop(): Promise<void> {
    const gone = reading;
    reading = null;
    await gone?.thread.close();
  }

  function of(id: number): Reading {
    if (reading?.id === id) return reading;
    throw new AppError('not-found', 'What was read is gone: another dataset was read, or the project was closed. Read it again.', { id });
  }

  async function formatAt(place: string, format: FormatId | null): Promise<FormatId> {
    if (format !== null) return format;
    const [likeliest] = await detectFormats(place);
    if (likeliest) return likeliest.id;
    throw new AppError('unsupported', `${place} is of no format that can be read. Say which one it is.`, { path: place });
  }

  return {
    async inspect(given) {
      const place = resolve(given);
      const found = await detectFormats(place);
      const formats = found.map(({ id, confidence }) => ({ id, confidence, name: formatOf(id)?.name ?? id }));
      return { place, formats, problem: formats.length > 0 ? null : `${place} is of no format that can be read.` };
    },
    read: ({ place: given, format: said, images, pixels, regions }) =>
      alone(async () => {
        const started = performance.now();
        await drop();
        const project = current();
        const place = resolve(given);
        const format = await formatAt(place, said);
        await project.scanned();
        sweep(dirname(project.place.file));
        const thread = startImportThread(join(dirname(project.place.file), `import-${randomUUID()}.staging`), (progress) =>
          events.progress.push(progress),
        );
        const opened: Reading = { id: ++lastId, project, thread, place };
        reading = opened;
        try {
          const { file, folder } = project.place;
          const planned = await thread.ask('read', {
            place,
            format,
            images: images === null ? null : resolve(images),
            pixels,
            regions,
            project: { file, folder },
          });
          return { ...planned, id: opened.id, place, ms: Math.round(performance.now() - started) };
        } catch (thrown) {
          await drop();
          throw thrown;
        }
      }),
    findings: ({ id, ...query }) => of(id).thread.ask('findings', query),
    commit: ({ id, onConflict, asDone }) =>
      alone(async () => {
        const started = performance.now();
        const { project, thread } = of(id);
        const atMs = Math.round(clock());
        const taken = await holding(project, () => thread.ask('commit', { onConflict, asDone, atMs }));
        events.committed();
        const file = join(dirname(project.place.file), `import-${taken.importId}.json`);
        const report: ImportReport = { ...taken, file, ms: Math.round(performance.now() - started) };
        await writeReport(file, report, thread);
        leaving = Promise.all([leaving, drop()]);
        return report;
      }),
    list: () => Promise.resolve(current().store.imports()),
    undo: (options) =>
      alone(async () => {
        const started = performance.now();
        await drop();
        const project = current();
        await project.scanned();
        const folder = dirname(project.place.file);
        const thread = startImportThread(join(folder, `import-${randomUUID()}.staging`), (progress) => events.progress.push(progress));
        undoing = thread;
        try {
          const input = { ...options, file: project.place.file, atMs: Math.round(clock()) };
          const undone = await holding(project, () => thread.ask('undo', input));
          if (!undone.dryRun) events.committed();
          const file = undone.dryRun ? null : join(folder, `import-${undone.importId}-taken-back.json`);
          const report: ImportUndoReport = { ...undone, file, ms: Math.round(performance.now() - started) };
          if (file !== null) await writeFile(file, `${JSON.stringify(report, null, 2)}\n`, { flush: true });
          return report;
        } finally {
          undoing = null;
          await thread.close();
        }
      }),
    async discard(id) {
      of(id);
      await alone(drop);
    },
    cancel() {
      reading?.thread.cancel();
      undoing?.cancel();
    },
    async close() {
      reading?.thread.cancel();
      undoing?.cancel();
      await busy;
      await drop();
      await leaving;
    },
  };
}

/** While another connection writes. Throws `conflict` while a model runs: it writes, too. */
async function holding<T>(project: Project, work: () => Promise<T>): Promise<T> {
  if (project.jobs.list().some((run) => run.state === 'running')) {
    throw new AppError('conflict', 'A model runs on this project. Wait for its end, or stop it, and try again.');
  }
  const release = project.store.hold('An import is being written: nothing else can be saved until it is done.');
  try {
    return await work();
  } finally {
    release();
  }
}

const PAGE = 1000;

/** The report with all findings, line by line: a million of them is no single string. */
async function writeReport(file: string, report: ImportReport, thread: ImportThread): Promise<void> {
  const { findings, ...rest } = report;
  await writeFile(file, `${JSON.stringify({ ...rest, findingsListed: findings.length }, null, 2).slice(0, -2)},\n  "findings": [`);
  let lead = '\n    ';
  for (let offset = 0; ; offset += PAGE) {
    const { rows } = await thread.ask('findings', { offset, limit: PAGE });
    if (rows.length > 0) await writeFile(file, lead + rows.map((row) => JSON.stringify(row)).join(',\n    '), { flag: 'a' });
    lead = ',\n    ';
    if (rows.length < PAGE) break;
  }
  await writeFile(file, '\n  ]\n}\n', { flag: 'a', flush: true });
}

/** What a crash left: only whoever has the project open imports into it. */
function sweep(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (STAGING.test(name.replace(/-journal$/, ''))) rmSync(join(folder, name), { force: true });
  }
}
