// Lines as a virtual list that stays at its end while lines come. Scrolling up stops it; a button then says how many came and goes back to the end.
import { useVirtualizer } from '@tanstack/react-virtual'
import { useRef, useState } from 'react'
import { useZone } from '../../app/preferences.ts'
import { Button } from '../button.tsx'
import { LogRow, type LogRowProps } from './log-row.tsx'
import type { Logs } from './use-logs.ts'
import styles from './log-list.module.css'

const ROW_PX = 22
const NEAR_END_PX = 40
const BORDER_PX = 2

export interface LogListProps extends Pick<Logs, 'lines' | 'readOlder'>, Pick<LogRowProps, 'hasWorker' | 'onJob'> {
  readonly isFollowing: boolean
}

export function LogList({ lines, readOlder, isFollowing, ...row }: LogListProps) {
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
              <RowAt line={lines[index]} {...row} />
            </div>
          ))}
        </div>
      </div>
      {unseen !== undefined && (
        <div className={styles.jump}>
          <Button onClick={() => virtual.scrollToEnd()}>
            <span aria-live="polite">{describeUnseen(unseen, isFollowing)}</span>
          </Button>
        </div>
      )}
    </div>
  )
}

/** Undefined: the list has become shorter. */
function RowAt({ line, ...row }: Pick<LogRowProps, 'hasWorker' | 'onJob'> & { readonly line: LogRowProps['line'] | undefined }) {
  const zone = useZone()
  return line === undefined ? null : <LogRow line={line} zone={zone} {...row} />
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
