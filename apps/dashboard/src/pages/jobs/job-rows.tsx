// The rows, of which only those in sight are there. `j` and `k` go down and up, Enter opens, `x` selects, `r` retries, `c` cancels; the last two ask first.
import { useLinkProps, useNavigate } from '@tanstack/react-router'
import { useWindowVirtualizer } from '@tanstack/react-virtual'
import {
  useCallback,
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
  type Dispatch,
  type MouseEvent,
  type RefObject,
  type SetStateAction,
} from 'react'
import type { FoundJob } from '@runyard/schema/api'
import { keepRange } from '../../app/range.ts'
import { useKeys } from '../../ui/keys.ts'
import { useNow } from '../../ui/now.ts'
import { useIsNarrow } from '../../ui/narrow.ts'
import { JobRow, whyOf } from './job-row.tsx'
import type { JobList } from './use-job-list.ts'
import styles from './jobs-page.module.css'

/** Heights of a row in rem: on a wide screen, with a line that says why, on a narrow one. */
const HEIGHTS = { plain: 2.25, withWhy: 3.5, card: 5, cardWithWhy: 7.75 } as const
const OVERSCAN = 4
/** The next page is asked for so early. */
const AHEAD = 50

export interface JobRowsProps {
  readonly list: JobList
  readonly selected: ReadonlySet<string>
  readonly chosen: readonly FoundJob[]
  readonly onSelect: Dispatch<SetStateAction<ReadonlySet<string>>>
  readonly onAsk: (action: 'retry' | 'cancel', jobs: readonly FoundJob[]) => void
}

export function JobRows({ list, selected, chosen, onSelect, onAsk }: JobRowsProps) {
  const { jobs } = list
  const [at, setAt] = useState(-1)
  const now = useNow(1000)
  const box = useRef<HTMLDivElement>(null)
  const { rows, scrollTo } = useRows(jobs, box)
  const { hrefOf, openLink } = useJobLinks()
  useMorePages(list, rows.at(-1)?.index ?? 0)
  const toggle = useCallback(
    (id: string) => onSelect((ids) => (ids.has(id) ? new Set([...ids].filter((one) => one !== id)) : new Set([...ids, id]))),
    [onSelect],
  )
  const go = (to: number): void => {
    const next = Math.min(jobs.length - 1, Math.max(0, to))
    setAt(next)
    scrollTo(next)
  }
  useRowKeys({ job: jobs[at], at, go, toggle, ask: (action, job) => onAsk(action, chosen.length > 0 ? chosen : [job]) })
  if (jobs.length === 0) return null
  return (
    <div role="grid" aria-label="Jobs" aria-rowcount={list.hasMore ? -1 : jobs.length + 1} aria-busy={list.isOld} className={styles.table}>
      <Header />
      <div role="rowgroup" ref={box} className={styles.rows} style={{ height: rows.total }} onClick={openLink}>
        {rows.map(({ index, start, size }) => {
          const job = jobs[index]
          return (
            job && (
              <JobRow
                key={job.id}
                href={hrefOf(job.id)}
                job={job}
                index={index}
                start={start}
                size={size}
                now={now}
                isSelected={selected.has(job.id)}
                isCurrent={index === at}
                onToggle={toggle}
                onEnter={setAt}
              />
            )
          )
        })}
      </div>
    </div>
  )
}

const ANY_JOB = 'any-job'

/** Plain links: a screen of the router's own takes half a frame to make. */
function useJobLinks() {
  const navigate = useNavigate()
  const { href = '' } = useLinkProps({ to: '/jobs/$id', params: { id: ANY_JOB }, search: keepRange })
  return {
    hrefOf: (id: string): string => href.replace(ANY_JOB, encodeURIComponent(id)),
    openLink: (event: MouseEvent): void => {
      const link = event.target instanceof Element ? event.target.closest<HTMLElement>('a[data-job]') : null
      const isForBrowser = event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey
      const id = link?.dataset['job']
      if (id === undefined || isForBrowser) return
      event.preventDefault()
      void navigate({ to: '/jobs/$id', params: { id }, search: keepRange })
    },
  }
}

function Header() {
  return (
    <div role="rowgroup">
      <div role="row" aria-rowindex={1} className={styles.header}>
        {['', 'status', 'job', 'endpoint', 'when', 'waited', 'ran', 'worker'].map((name) => (
          <span key={name} role="columnheader">
            {name || <span className="visually-hidden">selected</span>}
          </span>
        ))}
      </div>
    </div>
  )
}

function useRows(jobs: readonly FoundJob[], box: RefObject<HTMLDivElement | null>) {
  const isNarrow = useIsNarrow()
  const [margin, setMargin] = useState(0)
  const rem = Number.parseFloat(getComputedStyle(document.documentElement).fontSize)
  const estimateSize = (index: number): number => {
    const hasWhy = whyOf(jobs[index]) !== undefined
    if (isNarrow) return rem * (hasWhy ? HEIGHTS.cardWithWhy : HEIGHTS.card)
    return rem * (hasWhy ? HEIGHTS.withWhy : HEIGHTS.plain)
  }
  const virtual = useWindowVirtualizer({
    count: jobs.length,
    estimateSize,
    getItemKey: (index) => jobs[index]?.id ?? index,
    overscan: OVERSCAN,
    scrollMargin: margin,
    // Below the header of the page, which stays.
    scrollPaddingStart: 120,
    scrollPaddingEnd: 20,
  })
  useLayoutEffect(() => {
    // Nothing above the rows changes then, and asking costs a layout.
    if (virtual.isScrolling) return
    const top = box.current === null ? 0 : box.current.getBoundingClientRect().top + window.scrollY
    if (Math.abs(top - margin) > 1) setMargin(top)
  })
  // Heights depend on the rows, which change under their indexes.
  useLayoutEffect(() => virtual.measure(), [virtual, jobs, isNarrow])
  const rows = virtual.getVirtualItems().map(({ index, start, size }) => ({ index, start: start - margin, size }))
  return { rows: Object.assign(rows, { total: virtual.getTotalSize() }), scrollTo: (index: number) => virtual.scrollToIndex(index) }
}

function useMorePages({ jobs, hasMore, isReading, readMore }: JobList, lastIndex: number): void {
  useEffect(() => {
    if (hasMore && !isReading && lastIndex >= jobs.length - AHEAD) readMore()
  }, [hasMore, isReading, readMore, lastIndex, jobs.length])
}

interface RowKeys {
  readonly job: FoundJob | undefined
  readonly at: number
  readonly go: (to: number) => void
  readonly toggle: (id: string) => void
  readonly ask: (action: 'retry' | 'cancel', job: FoundJob) => void
}

function useRowKeys({ job, at, go, toggle, ask }: RowKeys): void {
  const navigate = useNavigate()
  const withJob = (act: (of: FoundJob) => void) => (): boolean => {
    if (job !== undefined) act(job)
    return job !== undefined
  }
  useKeys({
    j: () => go(at + 1),
    k: () => go(at - 1),
    x: withJob(({ id }) => toggle(id)),
    r: withJob((of) => ask('retry', of)),
    c: withJob((of) => ask('cancel', of)),
    // A link or a button that has the focus is opened by the browser.
    Enter: () =>
      document.activeElement?.closest('a, button, summary') === null
        ? withJob(({ id }) => void navigate({ to: '/jobs/$id', params: { id }, search: keepRange }))()
        : false,
  })
}
