// Runs scripts by their hash; if Redis does not know a script, sends its text. Reports what was written.
import { createHash } from 'node:crypto'
import type { Redis } from 'ioredis'
import type { Signal } from '@runyard/schema'
import type { Answers } from '../connection.ts'
import type { Signals } from '../signals.ts'
import type { Argument } from './arguments.ts'
import { luaText, readLua, type Script } from './define-script.ts'

/**
 * Signals that the script published reach this process without Redis' echo: at once after the answer, where `answered` runs ahead of them, or, where
 * its definition says so, when it is sent. What a listener, or `sent`, sends in that turn, Redis runs after the script. If Redis did not know the
 * script, it has not run by then: its text is sent, and they run a second time. Without a connection they do not run.
 * @throws what Redis answers; with the script's name in place of the command's, and without its arguments (`errors.ts`).
 */
export type Run = <I extends Readonly<Record<string, unknown>>, R>(
  script: Script<I, R>,
  input: NoInfer<I>,
  hooks?: RunHooks<R>,
) => Promise<R>

export interface RunHooks<R> {
  readonly sent?: (() => void) | undefined
  readonly answered?: ((reply: R) => void) | undefined
}

/** Each write of a leader bears its term (ADR 33). */
export interface Fence {
  readonly term: number
  /** Names the fence of the slot that a key lies in. */
  readonly fenceOf: (key: string) => string
}

interface RunDeps {
  readonly client: Redis
  /** Absent before there are any; no script then publishes. */
  readonly signals?: Pick<Signals, 'channel' | 'encode' | 'deliver'>
  readonly fence?: Fence
  readonly timing?: Timing
  /** Without them Redis runs every script whenever it comes to it. */
  readonly answers?: Pick<Answers, 'awaitedUntil' | 'noteClock'>
}

/** Who wants to know how long answers take; the field changes. */
export interface Timing {
  /** Of a script that Redis answered. */
  onAnswer: ((ms: number) => void) | undefined
}

/** What the error of a script begins with that a later term shuts out. */
export const STALE_TERM = 'STALETERM'
/** What the error of a script begins with that Redis came to when its caller no longer waited; the time of Redis follows. */
export const TOO_LATE = 'TOOLATE'
const DEADLINE = new URL('./deadline.lua', import.meta.url)
const FENCE = new URL('./fence.lua', import.meta.url)

interface Call {
  readonly name: string
  readonly text: () => string
  readonly keys: readonly string[]
  readonly args: readonly Argument[]
}

const SILENT = { channel: '', encode: () => '', deliver: () => undefined }

const UNTIMED: Timing = { onAnswer: undefined }

export function createRun({ client, signals = SILENT, fence, timing = UNTIMED, answers }: RunDeps): Run {
  const sendCall = createSend(client)
  const deliver = (published: readonly Signal[]): void => {
    for (const signal of published) signals.deliver(signal)
  }
  return async (script, input, hooks) => {
    const keys = script.keys.map((name) => String(input[name]))
    const given = { name: script.name, text: script.text, keys, args: script.toArguments(input, signals) }
    const toCall = (): Call => {
      const call = answers !== undefined && script.onlyIfAwaited ? ifAwaited(given, answers.awaitedUntil()) : given
      return fence === undefined ? call : underTerm(call, fence)
    }
    const sentAt = timing.onAnswer === undefined ? 0 : performance.now()
    const { signalled, signalledWhenSent } = script
    const onSent = (): void => {
      if (signalledWhenSent !== undefined) deliver(signalledWhenSent(input))
      hooks?.sent?.()
    }
    let answer: unknown
    try {
      answer = await sendCall(toCall(), onSent)
    } catch (error) {
      const redisMs = timeOfTooLate(error)
      if (redisMs === undefined) throw error
      answers?.noteClock(redisMs)
      answer = await sendCall(toCall(), onSent)
    }
    timing.onAnswer?.(performance.now() - sentAt)
    const reply = script.read(answer)
    hooks?.answered?.(reply)
    if (signalled !== undefined) deliver(signalled(reply, input))
    return reply
  }
}

/** The same with one argument more, at the end. */
function ifAwaited({ name, text, keys, args }: Call, awaitedUntil: number): Call {
  return {
    name: `${name} if awaited`,
    text: () => `local TOO_LATE = ${luaText(TOO_LATE)}\n${readLua(DEADLINE)}${text()}`,
    keys,
    args: [...args, awaitedUntil],
  }
}

/** The same with one key and one argument more, at the end: the fence and the term. */
function underTerm({ name, text, keys, args }: Call, { term, fenceOf }: Fence): Call {
  return {
    name: `${name} under a term`,
    text: () => `local STALE_TERM = ${luaText(STALE_TERM)}\n${readLua(FENCE)}${text()}`,
    keys: [...keys, fenceOf(keys[0] ?? '')],
    args: [...args, term],
  }
}

/** Returns the answer; runs `onSent` in the turn in which the command is written. */
type SendCall = (call: Call, onSent: () => void) => Promise<unknown>

function createSend(client: Redis): SendCall {
  const hashes = new Map<string, string>()
  const hashOf = ({ name, text }: Call): string => {
    const known = hashes.get(name)
    if (known !== undefined) return known
    const hash = createHash('sha1').update(text()).digest('hex')
    hashes.set(name, hash)
    return hash
  }
  const byHash = (call: Call): Promise<unknown> => client.evalsha(hashOf(call), call.keys.length, ...call.keys, ...call.args)
  const byText = ({ text, keys, args }: Call): Promise<unknown> => client.eval(text(), keys.length, ...keys, ...args)
  // Without a connection nothing is sent, and what listeners ask of Redis would fail, too.
  const sent = (answer: Promise<unknown>, onSent: () => void): Promise<unknown> => {
    if (client.status === 'ready') onSent()
    return answer
  }
  return async (call, onSent) => {
    try {
      return await sent(byHash(call), onSent)
    } catch (error) {
      if (!isUnknownScript(error)) throw named(call, error)
      return await sent(byText(call), onSent).catch((failure: unknown) => Promise.reject(named(call, failure)))
    }
  }
}

const isUnknownScript = (error: unknown): boolean => error instanceof Error && error.message.startsWith('NOSCRIPT')

/** Undefined: it is another error. A caller that hears it still waits, so the clock of Redis or its load was not as expected. */
function timeOfTooLate(error: unknown): number | undefined {
  if (!(error instanceof Error) || !error.message.startsWith(TOO_LATE)) return undefined
  return Number(error.message.slice(TOO_LATE.length))
}

/** The arguments of a command hang on its error, inputs and secrets among them. */
function named({ name }: Call, error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error))
  if ('command' in error) error.command = { name }
  return error
}
