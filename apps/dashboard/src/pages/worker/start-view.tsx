import type { WorkerLifeView } from '@runyard/schema/api'
import { useNow } from '../../ui/now.ts'
import { adviseOnStarts, START_PHASES, startPhases, usualPhases, type StartPhaseName } from '../../ui/start-phases.ts'
import { Waterfall, type WaterfallStep } from '../../ui/waterfall.tsx'
import styles from './worker-page.module.css'

export interface StartViewProps {
  readonly worker: WorkerLifeView
  /** Of its endpoint, latest first. */
  readonly lives: readonly WorkerLifeView[]
}

/** The phases of a start, with what is usual behind each. */
export function StartView({ worker, lives }: StartViewProps) {
  const now = useNow(1000)
  const usual = usualPhases(lives.filter(({ id }) => id !== worker.id))
  const advice = adviseOnStarts(lives, now)
  return (
    <>
      <Waterfall label="Phases of the start" steps={[...stepsOf(worker, usual), ...openStep(worker)]} now={now} />
      {advice !== undefined && <p className={styles.advice}>{advice}</p>}
    </>
  )
}

function stepsOf({ times }: WorkerLifeView, usual: ReadonlyMap<StartPhaseName, number>): readonly WaterfallStep[] {
  return startPhases(times).map(({ name, what, from, to }) => ({
    label: name,
    kind: name === 'first function' ? 'run' : 'start',
    from,
    to,
    detail: what,
    usualMs: usual.get(name),
  }))
}

/** The phase that a starting worker is in. */
function openStep({ phase, times }: WorkerLifeView): readonly WaterfallStep[] {
  if (phase !== 'starting') return []
  const done = startPhases(times)
  const next = START_PHASES[done.length]
  return next === undefined ? [] : [{ label: next.name, kind: 'start', from: done.at(-1)?.to ?? times.placed, detail: next.what }]
}
