import { useQueryClient } from '@tanstack/react-query'
import { useCallback, useEffect, useRef, useState } from 'react'
import { client } from '../../../api/client.ts'
import { useTopic } from '../../../api/live.ts'
import { keepInput } from './kept-inputs.ts'
import type { ModeName } from './modes.ts'
import { isOver, runCall, type CallState } from './run-call.ts'

export interface Calling {
  /** Undefined: nothing was sent yet. */
  readonly state: CallState | undefined
  readonly isRunning: boolean
  send(mode: ModeName, text: string): void
  cancel(): void
}

/** One request at a time. Who leaves the page leaves the job to itself. */
export function useCall(endpointId: string): Calling {
  const [state, setState] = useState<CallState>()
  const leaving = useRef<AbortController>(null)
  const sent = useRef(false)
  useEffect(() => () => leaving.current?.abort(), [])
  const isRunning = state !== undefined && state.endedAt === undefined
  const jobId = isRunning ? state.jobId : undefined
  useProgress(endpointId, jobId, setState)

  return {
    state,
    isRunning,
    send(mode, text) {
      // A second click comes before the first one is drawn.
      if (sent.current) return
      sent.current = true
      const mine = new AbortController()
      leaving.current = mine
      keepInput(endpointId, { mode, text })
      setState({ begunAt: Date.now(), chunks: [] })
      const change = (changed: Partial<CallState> | ((now: CallState) => Partial<CallState>)): void => {
        if (!mine.signal.aborted)
          setState((now) => (now === undefined ? now : { ...now, ...(typeof changed === 'function' ? changed(now) : changed) }))
      }
      const request = { endpointId, mode, text, idempotencyKey: newKey() }
      void runCall(request, { change, signal: mine.signal }).finally(() => {
        sent.current = false
      })
    },
    cancel() {
      if (jobId !== undefined) void client.jobs.cancel(endpointId, jobId)
      else {
        leaving.current?.abort()
        setState((now) => now && { ...now, endedAt: Date.now() })
      }
    },
  }
}

/** While a job waits and runs: why, and its progress. */
function useProgress(
  endpointId: string,
  jobId: string | undefined,
  setState: (next: (now: CallState | undefined) => CallState | undefined) => void,
) {
  const cache = useQueryClient()
  const look = useCallback(() => {
    if (jobId === undefined) return
    void cache.invalidateQueries({ queryKey: ['job', jobId] })
    void client.jobs.status(endpointId, jobId).then(
      (job) => setState((now) => (now?.jobId === jobId && now.endedAt === undefined && !isOver(job) ? { ...now, job } : now)),
      () => undefined,
    )
  }, [endpointId, jobId, setState, cache])
  useTopic(jobId === undefined ? undefined : `job:${jobId}`, look)
  // With each change of its topic, and at its end, its steps are read again.
  useEffect(() => (jobId === undefined ? undefined : () => void cache.invalidateQueries({ queryKey: ['job', jobId] })), [cache, jobId])
}

/** Pages at plain http have no `randomUUID`. */
function newKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}
