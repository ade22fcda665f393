// Follows the prices in the configuration file (ADR 82): a changed section is in use within seconds. Failure direction: what cannot be read is refused
// with one sentence, and the prices stay as they were.
import { unwatchFile, watchFile } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { sentenceOf, type LoadedConfig, type Logger } from '@runyard/kit'
import type { Prices } from '@runyard/schema'

const LOOK_EVERY_MS = 2000
const SETTLE_MS = 300

export async function followPrices(
  known: Prices,
  options: {
    readonly load: () => Promise<LoadedConfig>
    readonly log: Pick<Logger, 'info' | 'error'>
    readonly everyMs?: number
    readonly settleMs?: number
  },
) {
  const { load, log, everyMs = LOOK_EVERY_MS, settleMs = SETTLE_MS } = options
  const { file } = await load()
  let prices = known
  let problem = ''
  let looking: Promise<void> = Promise.resolve()

  /** An editor may empty a file before it writes it: what counts is what stays the same for a while. */
  async function readSettled(): Promise<Prices | string> {
    for (let before: string | undefined; ;) {
      const now = await load().then(({ config }) => config.prices, sentenceOf)
      if (JSON.stringify(now) === before) return now
      before = JSON.stringify(now)
      await delay(settleMs)
    }
  }

  async function look(): Promise<void> {
    const next = await readSettled()
    if (typeof next === 'string') {
      if (next !== problem) log.error({ problem: next }, 'the changed configuration is refused; the prices stay as they were')
      problem = next
      return
    }
    problem = ''
    if (JSON.stringify(next) === JSON.stringify(prices)) return
    prices = next
    log.info({ currency: prices.currency }, 'the prices of the configuration have changed and are in use')
  }

  const onChange = (): void => {
    looking = looking.then(look)
  }
  watchFile(file, { interval: everyMs, persistent: false }, onChange)
  return { current: (): Prices => prices, [Symbol.dispose]: () => unwatchFile(file, onChange) }
}
