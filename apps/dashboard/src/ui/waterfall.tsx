// What happened one after the other, each step with its length and its place in time. A list for screen readers and on paper; the bars are decoration.
// `q` gives the wait at the beginning a scale of its own, and takes it away.
import { useState, type ReactNode } from 'react'
import { Button } from './button.tsx'
import { formatDuration } from './format.ts'
import { useKeys } from './keys.ts'
import { isDrowned, toScale, type TimeScale } from './time-scale.ts'
import styles from './waterfall.module.css'

/** `wait`: for a place or a worker. `start`: of the worker. `run`: the job. `after`: what follows its end. `lost`: an attempt that failed or came to nothing. */
export type StepKind = 'wait' | 'start' | 'run' | 'after' | 'lost'

export interface WaterfallStep {
  readonly label: string
  readonly kind: StepKind
  /** Epoch ms. */
  readonly from: number
  /** Absent: it still goes on. */
  readonly to?: number | undefined
  readonly detail?: ReactNode
  /** How long it usually takes. */
  readonly usualMs?: number | undefined
}

export interface WaterfallProps {
  /** What the steps are of. */
  readonly label: string
  /** In the order of time. */
  readonly steps: readonly WaterfallStep[]
  /** For steps that still go on, epoch ms. */
  readonly now: number
}

export function Waterfall({ label, steps, now }: WaterfallProps) {
  const scaled = steps.map(({ from, to, kind }) => ({ from, to, isWait: kind === 'wait' }))
  const canFold = isDrowned(scaled, now)
  const [isFolded, setFolded] = useState(true)
  useKeys({ q: () => setFolded((was) => !was) })
  if (steps.length === 0) return null
  const scale = toScale(scaled, now, canFold && isFolded)
  return (
    <div className={styles.waterfall}>
      <div className={styles.head}>
        <span>{describeTotal(scale)}</span>
        {canFold && (
          <Button aria-pressed={isFolded} onClick={() => setFolded(!isFolded)}>
            Wait on its own scale <kbd>q</kbd>
          </Button>
        )}
      </div>
      <ol className={styles.steps} aria-label={label}>
        {steps.map((step) => (
          <Step key={`${step.label} ${step.from}`} step={step} scale={scale} now={now} />
        ))}
      </ol>
    </div>
  )
}

function describeTotal({ from, to, breakAt }: TimeScale): string {
  const total = `${formatDuration(to - from)} in all`
  return breakAt === undefined ? total : `${total}: ${formatDuration(breakAt - from)} of waiting, then ${formatDuration(to - breakAt)}`
}

function Step({ step, scale, now }: { readonly step: WaterfallStep; readonly scale: TimeScale; readonly now: number }) {
  const { label, kind, from, to = now, detail, usualMs } = step
  const took = Math.max(0, to - from)
  const left = scale.percentOf(from)
  return (
    <li className={styles.step}>
      <span className={styles.label}>{label}</span>
      <span className={styles.took}>
        {formatDuration(took)}
        {step.to === undefined && <span className="visually-hidden"> so far</span>}
      </span>
      <span className={styles.track} aria-hidden>
        {scale.breakAt !== undefined && <span className={styles.break} style={{ left: `${scale.percentOf(scale.breakAt)}%` }} />}
        {usualMs !== undefined && (
          <span className={styles.usual} style={{ left: `${left}%`, width: `${scale.percentOf(from + usualMs) - left}%` }} />
        )}
        <span
          className={styles.bar}
          data-kind={kind}
          data-open={step.to === undefined}
          style={{ left: `${left}%`, width: `${scale.percentOf(to) - left}%` }}
        />
      </span>
      {(detail !== undefined || usualMs !== undefined) && (
        <span className={styles.detail}>
          {detail}
          {detail !== undefined && usualMs !== undefined && ' · '}
          {usualMs !== undefined && `usually ${formatDuration(usualMs)}`}
        </span>
      )}
    </li>
  )
}
