// Follows the hosts in the configuration file: a changed section is taken up while the scaler runs. Failure direction: what cannot be used is refused as a
// whole, with one sentence, and the hosts stay as they were.
import { unwatchFile, watchFile } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { ConfiguredSource } from '@runyard/hosts'
import { sentenceOf, type LoadedConfig, type Logger } from '@runyard/kit'
import type { HostConfig } from '@runyard/schema'

export interface FollowOptions {
  readonly source: Pick<ConfiguredSource, 'apply'>
  readonly load: () => Promise<LoadedConfig>
  /** The hosts where none are configured. */
  readonly withoutHosts: () => Promise<readonly HostConfig[]>
  readonly log: Logger
  readonly everyMs?: number
  readonly settleMs?: number
}

const LOOK_EVERY_MS = 2000
const SETTLE_MS = 300

/** `known`: the hosts that the source has. Nothing is followed where a variable sets the hosts, because it overrides the file. */
export async function followHosts(known: readonly HostConfig[], options: FollowOptions): Promise<Disposable> {
  const { source, load, withoutHosts, log, everyMs = LOOK_EVERY_MS, settleMs = SETTLE_MS } = options
  const { file, origins } = await load()
  if (origins['hosts'] === 'RUNYARD_HOSTS') return { [Symbol.dispose]: () => undefined }
  let current = JSON.stringify(known)
  let problem = ''
  let looking: Promise<void> = Promise.resolve()
  let isStopped = false

  /** An editor may empty a file before it writes it: what counts is what stays the same for a while. */
  async function readSettled(): Promise<readonly HostConfig[]> {
    for (let before: string | undefined; ;) {
      const now = await readOnce()
      if (now.text === before) return now.hosts()
      before = now.text
      await delay(settleMs)
    }
  }

  async function readOnce() {
    try {
      const { hosts } = (await load()).config
      return { text: JSON.stringify(hosts) ?? '', hosts: async () => hosts ?? (await withoutHosts()) }
    } catch (error) {
      return { text: sentenceOf(error), hosts: () => Promise.reject(error) }
    }
  }

  async function look(): Promise<void> {
    try {
      const hosts = await readSettled()
      problem = ''
      if (isStopped || JSON.stringify(hosts) === current) return
      await source.apply(hosts)
      current = JSON.stringify(hosts)
      log.info({ hosts: hosts.map(({ id }) => id) }, 'the hosts of the configuration have changed and are in use')
    } catch (error) {
      if (!isStopped && sentenceOf(error) !== problem)
        log.error({ problem: sentenceOf(error) }, 'the changed configuration is refused; the hosts stay as they were')
      problem = sentenceOf(error)
    }
  }

  const onChange = (): void => {
    looking = looking.then(look)
  }
  watchFile(file, { interval: everyMs, persistent: false }, onChange)
  // It may have changed while the source was being opened.
  onChange()
  return {
    [Symbol.dispose]() {
      isStopped = true
      unwatchFile(file, onChange)
    },
  }
}
