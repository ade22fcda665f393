// The processes of containers by the pids of their engine's machine, which are also those of its nvidia-smi. They say whose a process on a shared card is.
import type Docker from 'dockerode'
import { messageOf, statusOf } from './docker-errors.ts'

/** Others count processes by themselves, as gVisor does. */
const COUNTS_AS_ITS_HOST = /^(?:.*runc.*|crun|nvidia.*)?$/u

/** Undefined: the engine cannot say it of one of them. One that does not run has none. */
export async function processesOf(containers: readonly Docker.Container[]): Promise<readonly number[] | undefined> {
  const lists = await Promise.all(containers.map(pidsIn))
  const known = lists.filter((list) => list !== undefined)
  return known.length === lists.length ? known.flat() : undefined
}

async function pidsIn(container: Docker.Container): Promise<readonly number[] | undefined> {
  try {
    const [{ Titles, Processes }, { HostConfig }] = await Promise.all([
      container.top() as Promise<{ readonly Titles: readonly string[]; readonly Processes: readonly (readonly string[])[] }>,
      container.inspect(),
    ])
    const at = Titles.indexOf('PID')
    if (at === -1 || !COUNTS_AS_ITS_HOST.test(HostConfig.Runtime ?? '')) return undefined
    return Processes.map((row) => Number(row[at]))
  } catch (error) {
    if (statusOf(error) === 404 || /is not running/.test(messageOf(error))) return []
    // E.g. because its machine has no `ps`.
    if (statusOf(error) === 500) return undefined
    throw error
  }
}
