// What other settings would have done: the scaler's own plan over the jobs of the last day, as the endpoint is and as it is tried.
import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { useMemo } from 'react'
import { formatCount } from '../../ui/format.ts'
import { Stack } from '../../ui/page.tsx'
import { Problem } from '../../ui/problem.tsx'
import { useEndpoint } from '../endpoint/endpoint-context.ts'
import { ApplySettings } from './apply-settings.tsx'
import { arrivalsOf, imagineArrivals, jobsAtOnceOf, usualStartMs, type Arrivals } from './arrivals.ts'
import { pastDayQuery, type PastDay } from './preview-queries.ts'
import { PreviewResult } from './preview-result.tsx'
import { SettingsForm } from './settings-form.tsx'
import { settingsOf, triedSettings, type PreviewSearch } from './settings-search.ts'
import { usePreviews } from './use-preview.ts'
import styles from './preview.module.css'

const route = getRouteApi('/endpoints/$id/preview')

const USUAL = { startMs: 10_000, perMinute: 6, runMs: 5000 }

export function PreviewTab() {
  const endpoint = useEndpoint()
  const search = route.useSearch()
  const { data: past, error, refetch } = useQuery(pastDayQuery(endpoint.id))
  const current = useMemo(() => settingsOf(endpoint), [endpoint])
  const tried = useMemo(() => triedSettings(current, search), [current, search])
  const { arrivals, startMs } = useArrivals(past, search)
  const jobsAtOnce = useMemo(() => jobsAtOnceOf(endpoint, past), [endpoint, past])
  const inputs = useMemo(
    () => arrivals && [current, tried].map((settings) => ({ settings, startMs, jobsAtOnce, jobs: arrivals.jobs, forMs: arrivals.forMs })),
    [arrivals, startMs, jobsAtOnce, current, tried],
  )
  const { previews, isRunning } = usePreviews(inputs)
  if (endpoint.type === 'LOAD_BALANCER') return <p>A preview needs a queue; this endpoint answers requests without one.</p>
  const isImagined = past !== undefined && past.jobs.length === 0
  return (
    <Stack>
      <p className={styles.intro}>{introOf(past, arrivals)}</p>
      {error && <Problem error={error} onRetry={() => void refetch()} />}
      <div className={styles.columns}>
        <SettingsForm tried={tried} search={search} usual={{ ...USUAL, startMs }} isImagined={isImagined} />
        {arrivals && <PreviewResult {...{ endpoint, arrivals, past, jobsAtOnce, previews, isRunning }} />}
      </div>
      <ApplySettings endpoint={endpoint} current={current} tried={tried} />
    </Stack>
  )
}

/** Those of the last day; imagined ones where there was none. */
function useArrivals(past: PastDay | undefined, { cold, rate, run }: PreviewSearch) {
  const startMs = cold === undefined ? ((past && usualStartMs(past.lives)) ?? USUAL.startMs) : 1000 * cold
  const arrivals = useMemo((): Arrivals | undefined => {
    if (past === undefined) return undefined
    if (past.jobs.length > 0) return arrivalsOf(past.jobs, past)
    const asked = { perMinute: rate ?? USUAL.perMinute, runMs: run === undefined ? USUAL.runMs : 1000 * run }
    return imagineArrivals(asked, past.to)
  }, [past, rate, run])
  return { arrivals, startMs }
}

function introOf(past: PastDay | undefined, arrivals: Arrivals | undefined): string {
  if (past === undefined || arrivals === undefined) return 'Reading the jobs of the last 24 hours…'
  const how = 'The scaler’s own plan decides.'
  if (past.jobs.length === 0) return `No job came in the last 24 hours, so two hours of jobs are imagined. ${how}`
  const hours = Math.max(1, Math.round(arrivals.forMs / 3_600_000))
  const span = hours === 1 ? 'hour' : `${hours} hours`
  const count = arrivals.jobs.length
  return count === 1
    ? `The one job of the last ${span}, as it came and ran. ${how}`
    : `The ${formatCount(count)} jobs of the last ${span}, as they came and ran. ${how}`
}
