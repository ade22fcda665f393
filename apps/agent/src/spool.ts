// Entries that the gateway has not accepted yet, on disk: one file each, delivered in order and then removed. A generator continues while the
// gateway is unavailable, a large result does not stay in memory, and an agent that restarts in the same directory delivers the entries it finds.
// Not fsynced: the page cache outlives this process, and if the machine fails the worker is lost and its job runs again (ADR 20).
// Failure direction: if the disk fails, the caller keeps its entry in memory and waits.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { JobTimings } from '@runyard/schema'

export interface SpoolEntry {
  readonly kind: 'chunk' | 'done'
  readonly jobId: string
  /** Identical in each retry, so that the gateway accepts it once. */
  readonly post: string
  readonly isStream: boolean
  readonly timings: JobTimings | undefined
  readonly body: Buffer
}

export type Spool = ReturnType<typeof openSpool>

interface Filed {
  readonly name: string
  readonly kind: SpoolEntry['kind']
  readonly jobId: string
  /** On disk. */
  readonly bytes: number
}

/** Disk usage of a small file, so that the limit also applies to many small chunks. */
const FILE_BYTES = 4096

export function openSpool({ directory, limitBytes }: { readonly directory: string; readonly limitBytes: number }) {
  const filed = findLeft(directory)
  let last = Number(filed.at(-1)?.name ?? 0)
  let usedBytes = filed.reduce((sum, { bytes }) => sum + bytes, 0)
  const drop = ({ name, bytes }: Filed) => {
    rmSync(join(directory, name), { force: true })
    usedBytes -= bytes
  }
  const dropFirst = () => {
    const first = filed.shift()
    if (first !== undefined) drop(first)
  }
  return {
    isEmpty: (): boolean => filed.length === 0,
    /** False if the spool is full or the disk fails. An empty spool accepts any entry. */
    add(entry: SpoolEntry): boolean {
      const bytes = FILE_BYTES + entry.body.length
      if (filed.length > 0 && usedBytes + bytes > limitBytes) return false
      const name = toName(last + 1)
      if (!tryWrite(join(directory, name), entry)) return false
      last += 1
      usedBytes += bytes
      filed.push({ name, kind: entry.kind, jobId: entry.jobId, bytes })
      return true
    },
    /** The oldest entry. Entries that user code has deleted are skipped: their lease expires and the job is retried. */
    first(): SpoolEntry | undefined {
      for (let next = filed[0]; next !== undefined; next = filed[0]) {
        const entry = tryRead(join(directory, next.name))
        if (entry !== undefined) return entry
        dropFirst()
      }
      return undefined
    },
    dropFirst,
    dropJob(jobId: string) {
      for (const entry of filed.filter((candidate) => candidate.jobId === jobId)) drop(entry)
      filed.splice(0, filed.length, ...filed.filter((candidate) => candidate.jobId !== jobId))
    },
    /** Jobs whose result is in the spool. */
    finishedJobs: (): readonly string[] => filed.filter(({ kind }) => kind === 'done').map(({ jobId }) => jobId),
  }
}

/** Ten digits: names sort as numbers. */
function toName(number: number): string {
  return String(number).padStart(10, '0')
}

/** Atomic: a partial file never has an entry's name. */
function tryWrite(path: string, { body, ...head }: SpoolEntry): boolean {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    writeFileSync(`${path}.part`, Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), body]))
    renameSync(`${path}.part`, path)
    return true
  } catch {
    return false
  }
}

function tryRead(path: string): SpoolEntry | undefined {
  try {
    return read(path)
  } catch {
    return undefined
  }
}

function read(path: string): SpoolEntry {
  const data = readFileSync(path)
  const end = data.indexOf('\n')
  const head = JSON.parse(data.toString('utf8', 0, end)) as Omit<SpoolEntry, 'body'>
  return { ...head, timings: head.timings, body: data.subarray(end + 1) }
}

/** Entries that an earlier agent left. Chunks without a result are dropped: their job failed with that agent and is retried from the start. */
function findLeft(directory: string): Filed[] {
  try {
    return keepFinished(directory)
  } catch {
    // The directory does not exist.
    return []
  }
}

function keepFinished(directory: string): Filed[] {
  const names = readdirSync(directory)
    .filter((name) => /^\d{10}$/.test(name))
    .toSorted()
  const all = names.map((name): Filed => {
    const { kind, jobId, body } = read(join(directory, name))
    return { name, kind, jobId, bytes: FILE_BYTES + body.length }
  })
  const finished = new Set(all.filter(({ kind }) => kind === 'done').map(({ jobId }) => jobId))
  for (const { name, jobId } of all) if (!finished.has(jobId)) rmSync(join(directory, name), { force: true })
  return all.filter(({ jobId }) => finished.has(jobId))
}
