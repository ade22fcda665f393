// The lines that a page shows: the latest of the range, older ones when they are asked for, and, while the range ends now, what comes. A stream that breaks goes
// on behind the last line that was seen, so that no line is there twice.
import { useCallback, useEffect, useState } from 'react'
import type { LogSearch } from '@runyard/client'
import type { MergedLine } from '@runyard/schema/api'
import { client } from '../../api/client.ts'
import type { Range } from '../../app/range.ts'
import { toLogSearch, type LogFilter } from './log-filter.ts'

const PAGE = 500
/** A page that stays open for a day must not grow without end. */
const MOST = 20_000
const GATHER_MS = 100
const AGAIN_AFTER_MS = 2000

export interface LogLine extends MergedLine {
  /** Grows with time; older lines that are read later go on below the first. */
  readonly number: number
}

export interface Logs {
  readonly lines: readonly LogLine[]
  readonly isReading: boolean
  /** Undefined: the range is fixed, or its first lines are still read. */
  readonly stream: 'open' | 'lost' | undefined
  readonly error: Error | undefined
  /** Undefined: there are none. */
  readonly readOlder: (() => Promise<void>) | undefined
  readonly retry: () => void
}

interface State {
  readonly lines: readonly LogLine[]
  readonly cursor: number | null
  readonly isReading: boolean
  readonly stream: 'open' | 'lost' | undefined
  readonly error: Error | undefined
}
const NOTHING: State = { lines: [], cursor: null, isReading: true, stream: undefined, error: undefined }

export function useLogs(filter: LogFilter, range: Range): Logs {
  const [state, setState] = useState(NOTHING)
  const [tries, setTries] = useState(0)
  const asked = JSON.stringify([filter, range.span ?? [range.from, range.to]])
  useEffect(() => {
    const leaving = new AbortController()
    setState(NOTHING)
    const from = range.from
    const search = { ...toLogSearch(filter), from }
    void readAndFollow({ search, until: range.span === undefined ? range.to : undefined, change: setState, signal: leaving.signal })
    return () => leaving.abort()
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- a range that ends now moves on without another reading
  }, [asked, tries])
  const { cursor } = state
  const readOlder = useCallback(async () => {
    const older = await client.history.logs({ ...toLogSearch(filter), from: range.from, cursor: cursor ?? undefined, limit: PAGE })
    setState((now) => (now.cursor === cursor ? { ...now, lines: prepend(older.lines, now.lines), cursor: older.nextCursor } : now))
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- as above
  }, [asked, cursor])
  const { lines, isReading, stream, error } = state
  const retry = useCallback(() => setTries((count) => count + 1), [])
  return { lines, isReading, stream, error, readOlder: cursor === null ? undefined : readOlder, retry }
}

interface Reading {
  readonly search: LogSearch
  /** Undefined: what comes is followed. */
  readonly until: number | undefined
  readonly change: (next: (now: State) => State) => void
  readonly signal: AbortSignal
}

async function readAndFollow({ search, until, change, signal }: Reading): Promise<void> {
  try {
    const first = await client.history.logs({ ...search, cursor: until, limit: PAGE })
    if (signal.aborted) return
    change((now) => ({ ...now, lines: append([], first.lines), cursor: first.nextCursor, isReading: false, error: undefined }))
    if (until === undefined) await followOn(search, { after: first.lines.at(-1)?.at ?? 0, change, signal })
  } catch (error) {
    if (!signal.aborted) change((now) => ({ ...now, isReading: false, error: error instanceof Error ? error : new Error(String(error)) }))
  }
}

interface Following extends Pick<Reading, 'change' | 'signal'> {
  /** Epoch ms of the last line that is known. */
  readonly after: number
}

async function followOn(search: LogSearch, { after, change, signal }: Following): Promise<void> {
  let last = String(after)
  while (!signal.aborted) {
    change((now) => ({ ...now, stream: 'open' }))
    const gather = createGathering((lines) => change((now) => ({ ...now, lines: append(now.lines, lines) })))
    try {
      for await (const { id, data } of client.history.followLogs({ ...search, limit: PAGE }, { after: last, signal })) {
        last = id ?? last
        gather(data)
      }
    } catch {
      // It is opened again as where it ended by itself.
    }
    if (signal.aborted) return
    change((now) => ({ ...now, stream: 'lost' }))
    await new Promise((resolve) => setTimeout(resolve, AGAIN_AFTER_MS))
  }
}

/** Many lines a second are drawn a few times a second. */
function createGathering(flush: (lines: readonly MergedLine[]) => void): (line: MergedLine) => void {
  let gathered: MergedLine[] = []
  return (line) => {
    gathered.push(line)
    if (gathered.length > 1) return
    setTimeout(() => {
      const lines = gathered
      gathered = []
      flush(lines)
    }, GATHER_MS)
  }
}

function append(known: readonly LogLine[], more: readonly MergedLine[]): readonly LogLine[] {
  const next = (known.at(-1)?.number ?? 0) + 1
  return [...known, ...more.map((line, index) => ({ ...line, number: next + index }))].slice(-MOST)
}

function prepend(older: readonly MergedLine[], known: readonly LogLine[]): readonly LogLine[] {
  const first = (known[0]?.number ?? 1) - older.length
  return [...older.map((line, index) => ({ ...line, number: first + index })), ...known]
}
