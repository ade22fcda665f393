// One line: a stripe of its worker, its time, level and text. Text of programs is text; nothing in it is markup.
import { useState } from 'react'
import { Link } from '@tanstack/react-router'
import { keepRange } from '../../app/range.ts'
import { formatClock, formatMillis, formatTime, shortId, type Zone } from '../format.ts'
import { contextOf } from './log-filter.ts'
import { AnsiText } from './ansi-text.tsx'
import { parseJsonLine, type JsonLine } from './json-line.ts'
import type { LogLine } from './use-logs.ts'
import styles from './log-row.module.css'

const HUES = 9

export interface LogRowProps {
  readonly line: LogLine
  readonly zone: Zone
  /** The line that a link is about. */
  readonly isMarked: boolean
  /** False where all lines are of one worker. */
  readonly hasWorker: boolean
  /** Shows only lines of this job. */
  readonly onJob: (jobId: string) => void
}

export function LogRow({ line, zone, isMarked, hasWorker, onJob }: LogRowProps) {
  const { at, workerId, source, level, jobId } = line
  const json = source === 'container' ? parseJsonLine(line.line, jobId) : undefined
  return (
    <div className={styles.row} data-marked={isMarked} data-source={source} data-level={level} data-hue={hueOf(workerId)}>
      <Link className={styles.time} to="/logs" search={contextOf(line)} title={`${formatTime(at, zone)}: in context`}>
        <time dateTime={new Date(at).toISOString()}>
          {formatClock(at, zone)}
          <span className={styles.ms}>{formatMillis(at)}</span>
        </time>
      </Link>
      {hasWorker && (
        <Link className={styles.worker} to="/workers/$id" params={{ id: workerId }} search={keepRange} title={`Worker ${workerId}`}>
          {shortId(workerId)}
        </Link>
      )}
      <span className={styles.level}>{source === 'system' ? 'system' : (level ?? '')}</span>
      <span className={styles.text}>
        {json === undefined ? <AnsiText text={line.line} /> : <JsonText json={json} />}
        {jobId !== undefined && (
          <button type="button" className={styles.job} title={`Only lines of job ${jobId}`} onClick={() => onJob(jobId)}>
            {shortId(jobId)}
          </button>
        )}
      </span>
    </div>
  )
}

/** 1 to 9, the same for a worker wherever it is shown. */
function hueOf(id: string): number {
  let sum = 0
  for (const letter of id) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 9973
  return (sum % HUES) + 1
}

function JsonText({ json: { message, rest, pretty } }: { readonly json: JsonLine }) {
  const [isOpen, setOpen] = useState(false)
  return (
    <>
      <button type="button" className={styles.unfold} aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        <span aria-hidden>{isOpen ? '▾' : '▸'}</span>
        <span className="visually-hidden">Members of this line</span>
      </button>
      {message} <span className={styles.rest}>{rest}</span>
      {isOpen && <span className={styles.pretty}>{pretty}</span>}
    </>
  )
}
