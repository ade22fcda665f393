// Signals between processes over one pub/sub channel. They only wake the receivers; `resync` replaces signals that were lost while there was no
// subscription. A dead subscription is detected by subscribing again, because Redis then does not answer. A process receives its own signals at
// once, without a round trip to Redis.
import { randomUUID } from 'node:crypto'
import { Signal } from '@runyard/schema'
import type { Redis } from 'ioredis'
import { defineLua } from './scripts/define-script.ts'

export type Signals = Awaited<ReturnType<typeof openSignals>>

export interface SignalDeps {
  readonly commands: Redis
  readonly subscriber: Redis
  readonly channel: string
  /** How often the subscription is checked. */
  readonly checkEveryMs: number
  readonly onError: (error: Error) => void
}

/** The only place that knows how a signal is wrapped: what stands before it; a brace follows. */
const envelopeOf = (origin: string): string => `{"origin":"${origin}","signal":`

/** `announce`, for signals that scripts make by themselves. */
export const announceLua = defineLua({ lua: new URL('./signals.lua', import.meta.url), constants: { ENVELOPE: envelopeOf('') } })

/** Of a connection that hears no signals, and whose own ones reach only other processes. */
export function sendOnly(channel: string): Pick<Signals, 'channel' | 'encode' | 'deliver'> {
  return { channel, encode: (signal) => `${envelopeOf(randomUUID())}${JSON.stringify(signal)}}`, deliver: () => undefined }
}

/** Resolves when the subscription is active, so that no later signal is missed. */
export async function openSignals(deps: SignalDeps) {
  const { commands, subscriber, channel, onError } = deps
  const origin = randomUUID()
  const listeners = new Set<(signal: Signal) => void>()

  /** Notifies only this process; the script has notified the others. */
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
    /** For scripts that publish a signal themselves, as the last step of a real change. */
    channel,
    encode,
    deliver,
    /** Notifies every process. Never throws: a signal that cannot be sent is lost. */
    publish(signal: Signal) {
      deliver(signal)
      commands.publish(channel, encode(signal)).catch(onError)
    },
    subscribe(onSignal: (signal: Signal) => void): AsyncDisposable {
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
 * Calls `resync` when both connections work again, so that its receivers can read from Redis. Subscribing twice changes nothing, so it is a check
 * of the subscription.
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

/** A burst of jobs for one endpoint repeats the same message, so the last parsed one is kept. */
function createParser(): (message: string) => Signal | undefined {
  let last = ''
  let signal: Signal | undefined
  return (message) => {
    if (message !== last) signal = parseMessage(message)
    last = message
    return signal
  }
}

/** Ignores unknown signals, which a process of another release may send. */
function parseMessage(message: string): Signal | undefined {
  try {
    return Signal.safeParse((JSON.parse(message) as { signal: unknown }).signal).data
  } catch {
    return undefined
  }
}
