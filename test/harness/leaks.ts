// Finds what a stopped stack left behind: containers labelled with its id, and processes with its data directory in their environment or
// command line. A process that cannot be read is not ours.
import { readdir, readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { findOnPath, tryCommand } from './child.ts'

export interface Leak {
  readonly what: string
  readonly remove: () => Promise<void>
}

export interface LeakSearch {
  readonly dataDir: string
  /** The instance id that labels containers; undefined if none was ever created. */
  readonly instance: string | undefined
  readonly ownPid: number
}

export async function findLeaks(search: LeakSearch): Promise<readonly Leak[]> {
  return [...(await containers(search)), ...(await processes(search))]
}

/** Leaks that persist: killed processes are gone a moment later. */
export async function findLastingLeaks(search: LeakSearch): Promise<readonly Leak[]> {
  const deadline = Date.now() + 15_000
  let leaks = await findLeaks(search)
  while (leaks.length > 0 && Date.now() < deadline) {
    await sleep(100)
    leaks = await findLeaks(search)
  }
  return leaks
}

export async function removeLeaks(leaks: readonly Leak[]): Promise<void> {
  for (const leak of leaks) await leak.remove()
}

/** A host keeps the builds of deployed apps for its next workers; they go when the installation is removed. */
export async function removeBuilds(instance: string | undefined): Promise<void> {
  if (instance === undefined || findOnPath('docker') === undefined) return
  const { stdout } = await tryCommand('docker', ['volume', 'ls', '-q', '--filter', `label=runyard=${instance}`])
  const volumes = stdout.split('\n').filter((line) => line !== '')
  if (volumes.length > 0) await tryCommand('docker', ['volume', 'rm', ...volumes])
}

async function containers({ instance }: LeakSearch): Promise<readonly Leak[]> {
  if (instance === undefined || findOnPath('docker') === undefined) return []
  const format = '{{.ID}} {{.Image}} {{.Status}} {{.Names}}'
  const list = await tryCommand('docker', ['ps', '-a', '--filter', `label=runyard=${instance}`, '--format', format])
  if (list.code !== 0) return []
  return list.stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => ({
      what: `container ${line}`,
      remove: async () => {
        await tryCommand('docker', ['rm', '-f', line.split(' ')[0] ?? ''])
      },
    }))
}

async function processes({ dataDir, ownPid }: LeakSearch): Promise<readonly Leak[]> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name)).map(Number)
  const found: Leak[] = []
  for (const pid of pids) {
    if (pid === ownPid) continue
    const command = await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '')
    const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '')
    if (!command.includes(dataDir) && !environment.includes(dataDir)) continue
    found.push({
      what: `process ${pid} ${command.replaceAll('\0', ' ').slice(0, 160)}`,
      remove: async () => {
        try {
          process.kill(pid, 'SIGKILL')
        } catch {
          // It has ended in the meantime.
        }
      },
    })
  }
  return found
}
