// One stream of what changes for the whole page (browsers open at most six connections to an origin): components say which topics they show, and the
// stream follows all of them, and whether Redis answers. It closes while the page has been hidden for a minute, and opens again when it is seen.
import { useEffect, useSyncExternalStore } from 'react'
import type { LiveEvent } from '@runyard/schema/api'
import { API_URL } from './client.ts'

const HIDDEN_FOR_MS = 60_000
/** Pages mount their parts one after the other. */
const SETTLE_MS = 50
/** A page that follows nothing may still be loading. */
const SETTLE_ALONE_MS = 500
const AGAIN_AFTER_MS = 2000
/** A request that some proxy or a lost connection leaves without an answer. */
const NO_ANSWER_MS = 15_000

/** `unused`: nobody is signed in; `away`: the gateway is there, and Redis does not answer. */
export type LiveState = 'unused' | 'connecting' | 'live' | 'away' | 'lost' | 'paused'

const STORE = 'store'
/** `isChange`: false for the state that a stream begins with. */
type Listener = (value: unknown, isChange: boolean) => void

const listeners = new Map<string, Set<Listener>>()
let isWanted = false
const stateListeners = new Set<() => void>()
let state: LiveState = 'unused'
let source: EventSource | undefined
let opened = ''
let isAway = false
/** Topics of which the stream has sent no state yet. */
let unheard = new Set<string>()
let settling: ReturnType<typeof setTimeout> | undefined
let hiding: ReturnType<typeof setTimeout> | undefined
let waiting: ReturnType<typeof setTimeout> | undefined

/** Calls `listener` with each state of the topic, with null where it is not there, and with undefined where states in between may be missing. */
export function followTopic(topic: string, listener: Listener): () => void {
  const known = listeners.get(topic) ?? new Set()
  known.add(listener)
  listeners.set(topic, known)
  settle()
  return () => {
    known.delete(listener)
    if (known.size === 0) listeners.delete(topic)
    settle()
  }
}

/** While it is wanted the stream is open, at least to say whether the gateway and Redis are there. */
export function useLiveStream(wanted: boolean): void {
  useEffect(() => {
    isWanted = wanted
    if (wanted && state === 'unused') setState('connecting')
    settle()
  }, [wanted])
}

/** @see followTopic; `listener` must keep its identity. */
export function useTopic(topic: string | undefined, listener: Listener): void {
  useEffect(() => (topic === undefined ? undefined : followTopic(topic, listener)), [topic, listener])
}

/** Whether what the page shows is live. */
export function useLiveState(): LiveState {
  return useSyncExternalStore(
    (onChange) => {
      stateListeners.add(onChange)
      return () => stateListeners.delete(onChange)
    },
    () => state,
  )
}

function setState(next: LiveState): void {
  if (state === next) return
  state = next
  for (const onChange of stateListeners) onChange()
}

function settle(afterMs = listeners.size === 0 ? SETTLE_ALONE_MS : SETTLE_MS): void {
  clearTimeout(settling)
  settling = setTimeout(open, afterMs)
}

function open(): void {
  const topics = listeners.size === 0 && !isWanted ? '' : [...listeners.keys(), STORE].toSorted().join(',')
  if (topics === opened && source !== undefined && source.readyState !== EventSource.CLOSED) return
  source?.close()
  source = undefined
  opened = topics
  unheard = new Set(listeners.keys())
  isAway = false
  if (topics === '') return setState('unused')
  if (state === 'unused') setState('connecting')
  const stream = new EventSource(`${API_URL}/runyard/v1/live?topics=${encodeURIComponent(topics)}`)
  source = stream
  awaitAnswer(stream)
  stream.addEventListener('open', () => setState(isAway ? 'away' : 'live'))
  stream.addEventListener('message', ({ data }: MessageEvent<string>) => hear(JSON.parse(data) as LiveEvent))
  stream.addEventListener('error', () => {
    if (source !== stream) return
    setState('lost')
    awaitAnswer(stream)
    // The browser tries again by itself where the connection broke, not where the gateway refused it.
    if (stream.readyState === EventSource.CLOSED) settle(AGAIN_AFTER_MS)
  })
}

/** The browser itself would wait for minutes. */
function awaitAnswer(stream: EventSource): void {
  clearTimeout(waiting)
  waiting = setTimeout(() => {
    if (source !== stream || stream.readyState !== EventSource.CONNECTING) return
    stream.close()
    settle(0)
  }, NO_ANSWER_MS)
}

function hear({ topic, value, gap }: LiveEvent): void {
  if (topic === STORE) isAway = (value as { readonly redis: string } | undefined)?.redis === 'away'
  setState(isAway ? 'away' : 'live')
  const isChange = gap !== undefined || !unheard.delete(topic)
  for (const listener of listeners.get(topic) ?? []) listener(gap === undefined ? value : undefined, isChange)
}

document.addEventListener('visibilitychange', () => {
  clearTimeout(hiding)
  if (document.visibilityState === 'visible') return state === 'paused' ? settle(0) : undefined
  hiding = setTimeout(() => {
    source?.close()
    source = undefined
    setState('paused')
  }, HIDDEN_FOR_MS)
})
