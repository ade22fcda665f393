// Signals between processes over one pub/sub channel. They only wake; what was missed while the subscription did not stand is made good by
// `resync`. A subscription that has died without a word is found out by asking for it again, which then is not answered.
// A process hears its own signals at once, without waiting for Redis to echo them.
import { randomUUID } from 'node:crypto'
import { Signal } from '@runyard/schema'
import type { Redis } from 'ioredis'
import { defineLua } from './scripts/define-script.ts'

export interface Signals {
  /** Given to scripts that publish by themselves, as the last step of a change that really happened. */
  readonly channel: string
  encode(signal: Signal): string
  /** Tells this process only: the script has told the others. */
  deliver(signal: Signal): void
  /** Tells every process. Never throws: a signal that cannot be sent is a signal lost. */
  publish(signal: Signal): void
  subscribe(onSignal: (signal: Signal) => void): AsyncDisposable
}

export interface SignalDeps {
  readonly commands: Redis
  readonly subscriber: Redis
  readonly channel: string
  /** How often the subscription is asked for again. */
  readonly checkEveryMs: number
  readonly onError: (error: Error) => void
}

/** The only place that knows how a signal is wrapped: what stands before it; a brace follows. */
const envelopeOf = (origin: string): string => `{"origin":"${origin}","signal":`

/** `announce`, for signals that scripts make by themselves. */
export const announceLua = defineLua({ lua: new URL('./signals.lua', import.meta.url), constants: { ENVELOPE: envelopeOf('') } })

/** Resolves when the subscription stands, so that nothing published afterwards is missed. */
export async function openSignals(deps: SignalDeps): Promise<Signals> {
  const { commands, subscriber, channel, onError } = deps
  const origin = randomUUID()
  const listeners = new Set<(signal: Signal) => void>()

  const deliver = (signal: Signal) => {
    for (const listener of listeners) {
      try {
        listener(signal)
      } catch (error) {
        onError(error instanceof Error ? error : new Error(String(error)))
      }
    }
  }
  const ownPrefix = envelopeOf(origin)
  const encode = (signal: Signal) => `${ownPrefix}${JSON.stringify(signal)}}`

  const parse = createParser()
  subscriber.on('message', (_channel: string, message: string) => {
    if (message.startsWith(ownPrefix)) return
    const signal = parse(message)
    if (signal !== undefined) deliver(signal)
  })
  await subscriber.subscribe(channel)
  keepSubscribed(deps, () => deliver({ kind: 'resync' }))

  return {
    channel,
    encode,
    deliver,
    publish(signal) {
      deliver(signal)
      commands.publish(channel, encode(signal)).catch(onError)
    },
    subscribe(onSignal) {
      const listener = (signal: Signal) => onSignal(signal)
      listeners.add(listener)
      return {
        [Symbol.asyncDispose]: () => {
          listeners.delete(listener)
          return Promise.resolve()
        },
      }
    },
  }
}

/**
 * Calls `resync` when a lost connection is back and both can be used, so that whoever looks again then finds Redis there. To subscribe again
 * where one is subscribed changes nothing, so it shows whether that still is so.
 */
function keepSubscribed({ commands, subscriber, channel, checkEveryMs, onError }: SignalDeps, resync: () => void): void {
  let isSubscribed = true
  const resyncIfWhole = () => {
    if (isSubscribed && commands.status === 'ready') resync()
  }
  const subscribe = async () => {
    await subscriber.subscribe(channel)
    if (isSubscribed) return
    isSubscribed = true
    resyncIfWhole()
  }
  const check = () => {
    if (subscriber.status === 'ready') void subscribe().catch(onError)
  }
  commands.on('ready', resyncIfWhole)
  subscriber.on('close', () => {
    isSubscribed = false
  })
  subscriber.on('ready', () => void subscribe().catch(onError))
  const timer = setInterval(check, checkEveryMs).unref()
  subscriber.once('end', () => clearInterval(timer))
}

/** A burst of jobs for one endpoint is the same message again and again: the last one is remembered. */
function createParser(): (message: string) => Signal | undefined {
  let last = ''
  let signal: Signal | undefined
  return (message) => {
    if (message !== last) signal = parseMessage(message)
    last = message
    return signal
  }
}

/** A process of another release may say what we do not know: that is no signal for us. */
function parseMessage(message: string): Signal | undefined {
  try {
    return Signal.safeParse((JSON.parse(message) as { signal: unknown }).signal).data
  } catch {
    return undefined
  }
}
