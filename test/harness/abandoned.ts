// Stacks whose test run was killed. The run's own children died with it; workers and containers are detached by design, so the next stack that
// starts removes them. A stack's directory names its owner. A process is identified by its pid and start time, because pids are reused.
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findLeaks, removeLeaks } from './leaks.ts'

/** Prefix of every stack's directory in the system's temporary directory. */
export const STACK_PREFIX = join(tmpdir(), 'runyard-test-')

interface Owner {
  readonly pid: number
  /** The start time in kernel ticks; undefined if the kernel does not report it. */
  readonly start?: string
  /** The label of its containers, once it is known. */
  readonly instance?: string
}

/** Records that this process owns the stack of `dataDir`. */
export async function noteOwner(dataDir: string, instance?: string): Promise<void> {
  const owner = { pid: process.pid, start: await startOf(process.pid), instance }
  await writeFile(noteOf(dataDir), JSON.stringify(owner))
}

/** Removes what is left of stacks whose owner is gone. Several processes may do so at once. */
export async function reapAbandoned(): Promise<void> {
  const names = (await readdir(tmpdir())).map((name) => join(tmpdir(), name)).filter((path) => path.startsWith(STACK_PREFIX))
  for (const dataDir of names) {
    const owner = await readOwner(dataDir)
    if (owner === undefined || (await isAlive(owner))) continue
    await removeLeaks(await findLeaks({ dataDir, instance: owner.instance, ownPid: process.pid }))
    // The killed process may have been writing the file.
    await rm(dataDir, { recursive: true, force: true, maxRetries: 5 })
  }
}

const noteOf = (dataDir: string): string => join(dataDir, 'owner.json')

/** Undefined if there is no owner file, or if another user wrote it. */
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

/** The 22nd field of /proc/PID/stat (proc(5)). The second field, in parentheses, may contain anything. */
async function startOf(pid: number): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '')
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[19]
}
