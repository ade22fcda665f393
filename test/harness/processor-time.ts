// Processor time of each test file with all processes that it starts, by control groups of Linux. Containers are not in it: an engine gives
// them groups of their own. On shared machines this is the only figure that two runs have in common.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const V2 = '/sys/fs/cgroup'
const V1 = '/sys/fs/cgroup/cpuacct'

/** The variable that names the groups' parent; absent in normal runs. */
export const TIME_GROUPS = 'RUNYARD_TEST_TIME_GROUPS'

/** The hierarchy that counts processor time here, for root alone. */
function hierarchy(): string {
  if (existsSync(join(V2, 'cgroup.controllers'))) return V2
  if (existsSync(V1)) return V1
  throw new Error('processor time of tests needs the control groups of Linux')
}

/** @throws where there are no control groups, or where they are not ours to make. */
export function makeTimeGroups(name: string): string {
  const directory = join(hierarchy(), name)
  mkdirSync(directory)
  return directory
}

/** Counts the calling process and what it starts from now on for `file`. */
export function countFor(parent: string, file: string): void {
  const group = join(parent, encodeURIComponent(file))
  mkdirSync(group, { recursive: true })
  writeFileSync(join(group, 'cgroup.procs'), `${process.pid}`)
}

/** Counts the calling process for none of them. */
export function leaveTimeGroups(parent: string): void {
  writeFileSync(join(parent, '..', 'cgroup.procs'), `${process.pid}`)
}

export interface TakenTimes {
  /** Milliseconds by file. */
  readonly times: ReadonlyMap<string, number>
  /** Files that have left processes behind, whose groups therefore stay. */
  readonly leaky: readonly string[]
}

export function takeTimes(parent: string): TakenTimes {
  const groups = readdirSync(parent, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  const times = new Map(groups.map(({ name }) => [decodeURIComponent(name), timeOf(join(parent, name))]))
  const leaky = groups.filter(({ name }) => readFileSync(join(parent, name, 'cgroup.procs'), 'utf8') !== '')
  for (const group of groups) if (!leaky.includes(group)) rmdirSync(join(parent, group.name))
  if (leaky.length === 0) rmdirSync(parent)
  return { times, leaky: leaky.map(({ name }) => decodeURIComponent(name)) }
}

/** Of a group with its descendants, those that ended included. */
export function timeOf(group: string): number {
  const v1 = join(group, 'cpuacct.usage')
  if (existsSync(v1)) return Number(readFileSync(v1, 'utf8')) / 1e6
  const micros = /^usage_usec (\d+)$/m.exec(readFileSync(join(group, 'cpu.stat'), 'utf8'))?.[1]
  return Number(micros ?? 0) / 1e3
}
