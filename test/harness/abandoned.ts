// Stacks whose test run was killed. What the run started itself died with it; workers and containers are children of nobody by design, so
// the next stack that is started removes them. A stack's directory says whose it is; a process is told by its start, since pids come again.
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findLeaks, removeLeaks } from './leaks.ts'

/** Of every stack's directory below the system's temporary one. */
export const STACK_PREFIX = join(tmpdir(), 'runyard-test-')

interface Owner {
  readonly pid: number
  /** In the kernel's own count; undefined where it does not tell. */
  readonly start?: string
  /** What its containers are labelled with, once it is known. */
  readonly instance?: string
}

/** Says that this process owns the stack of `dataDir`. */
export async function noteOwner(dataDir: string, instance?: string): Promise<void> {
  const owner = { pid: process.pid, start: await startOf(process.pid), instance }
  await writeFile(noteOf(dataDir), JSON.stringify(owner))
}

/** Removes what is left of stacks whose owner is gone. Many may do so at once. */
export async function reapAbandoned(): Promise<void> {
  const names = (await readdir(tmpdir())).map((name) => join(tmpdir(), name)).filter((path) => path.startsWith(STACK_PREFIX))
  for (const dataDir of names) {
    const owner = await readOwner(dataDir)
    if (owner === undefined || (await isAlive(owner))) continue
    await removeLeaks(await findLeaks({ dataDir, instance: owner.instance, ownPid: process.pid }))
    // Who was just killed may have been writing.
    await rm(dataDir, { recursive: true, force: true, maxRetries: 5 })
  }
}

const noteOf = (dataDir: string): string => join(dataDir, 'owner.json')

/** Undefined where there is no note, or where another user wrote it. */
async function readOwner(dataDir: string): Promise<Owner | undefined> {
  try {
    const { uid } = await stat(noteOf(dataDir))
    return uid === process.getuid?.() ? (JSON.parse(await readFile(noteOf(dataDir), 'utf8')) as Owner) : undefined
  } catch {
    return undefined
  }
}

async function isAlive({ pid, start }: Owner): Promise<boolean> {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  return (await startOf(pid)) === start
}

/** The 22nd field of proc(5); the second may hold anything, in brackets. */
async function startOf(pid: number): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '')
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[19]
}
