// Lines as a virtual list that stays at its end while lines come. Scrolling up stops it; a button then says how many came and goes back to the end.
import { useVirtualizer, type Virtualizer } from '@tanstack/react-virtual'
import { useEffect, useRef, useState } from 'react'
import { useZone } from '../../app/preferences.ts'
import { Button } from '../button.tsx'
import { LogRow, type LogRowProps } from './log-row.tsx'
import type { Logs } from './use-logs.ts'
import styles from './log-list.module.css'

const ROW_PX = 24
const NEAR_END_PX = 40
const BORDER_PX = 2

export interface LogListProps extends Pick<Logs, 'lines' | 'readOlder'>, Pick<LogRowProps, 'hasWorker' | 'onJob'> {
  readonly isFollowing: boolean
  /** Epoch ms of the line that a link is about. */
  readonly at: number | undefined
}

export function LogList({ lines, readOlder, isFollowing, at, ...row }: LogListProps) {
  const box = useRef<HTMLDivElement>(null)
  const virtual = useVirtualizer({
    count: lines.length,
    getScrollElement: () => box.current,
    estimateSize: () => ROW_PX,
    getItemKey: (index) => lines[index]?.number ?? index,
    overscan: 12,
    anchorTo: 'end',
    followOnAppend: true,
    scrollEndThreshold: NEAR_END_PX,
    initialOffset: () => lines.length * ROW_PX,
  })
  useMark(virtual, lines, at)
  const unseen = useUnseen(lines, virtual.isAtEnd(NEAR_END_PX))
  return (
    <div className={styles.frame}>
      <div className={styles.older}>{readOlder ? <OlderButton readOlder={readOlder} /> : 'There is nothing older in this range.'}</div>
      <div
        ref={box}
        className={styles.box}
        style={{ height: `min(${virtual.getTotalSize() + BORDER_PX}px, max(20rem, 100vh - 17rem))` }}
        role="log"
        aria-live="off"
        aria-label="Log lines"
        tabIndex={0}
      >
        <div className={styles.space} style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map(({ key, index, start }) => (
            <div
              key={key}
              ref={virtual.measureElement}
              data-index={index}
              className={styles.item}
              style={{ transform: `translateY(${start}px)` }}
            >
              <RowAt line={lines[index]} at={at} {...row} />
            </div>
          ))}
        </div>
      </div>
      {unseen !== undefined && <Jump label={describeUnseen(unseen, isFollowing)} onJump={() => virtual.scrollToEnd()} />}
    </div>
  )
}

function Jump({ label, onJump }: { readonly label: string; readonly onJump: () => void }) {
  return (
    <div className={styles.jump}>
      <Button onClick={onJump}>
        <span aria-live="polite">{label}</span>
      </Button>
    </div>
  )
}

/** Goes to the line that the link is about, once. */
function useMark(virtual: Pick<Virtualizer<HTMLDivElement, Element>, 'scrollToIndex'>, lines: Logs['lines'], at: number | undefined) {
  useEffect(() => {
    const marked = at === undefined ? -1 : lines.findIndex((line) => line.at === at)
    if (marked !== -1) virtual.scrollToIndex(marked, { align: 'center' })
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- lines that come later must not scroll
  }, [at])
}

interface RowAtProps extends Pick<LogListProps, 'hasWorker' | 'onJob' | 'at'> {
  /** Undefined: the list has become shorter. */
  readonly line: LogRowProps['line'] | undefined
}

function RowAt({ line, at, ...row }: RowAtProps) {
  const zone = useZone()
  return line === undefined ? null : <LogRow line={line} zone={zone} isMarked={line.at === at} {...row} />
}

/** How many lines came since the end was seen last; undefined at the end. */
function useUnseen(lines: LogListProps['lines'], isAtEnd: boolean): number | undefined {
  const last = lines.at(-1)?.number ?? 0
  const [seen, setSeen] = useState(last)
  if (isAtEnd && seen !== last) setSeen(last)
  return isAtEnd ? undefined : last - seen
}

function describeUnseen(count: number, isFollowing: boolean): string {
  if (!isFollowing) return '↓ To the end'
  return count === 0 ? '↓ Follow' : `↓ ${count} new ${count === 1 ? 'line' : 'lines'}`
}

function OlderButton({ readOlder }: { readonly readOlder: () => Promise<void> }) {
  const [isReading, setReading] = useState(false)
  const read = (): void => {
    setReading(true)
    void readOlder().finally(() => setReading(false))
  }
  return (
    <Button onClick={read} disabled={isReading}>
      Older lines
    </Button>
  )
}
