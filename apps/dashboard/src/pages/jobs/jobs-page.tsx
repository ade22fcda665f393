// Jobs of all endpoints: those that wait with their reason, those that failed with their error.
import { getRouteApi, useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import type { BulkBody, FoundJob } from '@runyard/schema/api'
import { keepRange, useRange } from '../../app/range.ts'
import { Button } from '../../ui/button.tsx'
import { CopyButton } from '../../ui/copy.tsx'
import { formatCount } from '../../ui/format.ts'
import { mayChange, REFUSALS, type JobChange } from '../../ui/job-changes.ts'
import { Page } from '../../ui/page.tsx'
import { Problem } from '../../ui/problem.tsx'
import { BulkDialog } from './bulk-dialog.tsx'
import { FilterBar } from './filter-bar.tsx'
import { oddStatusOf, readJobFilter, toCommand, toSearch, type JobFilter } from './job-filter.ts'
import { JobRows } from './job-rows.tsx'
import { NothingFound } from './nothing-found.tsx'
import { SelectedDialog } from './selected-dialog.tsx'
import { useJobList, type JobList } from './use-job-list.ts'
import styles from './jobs-page.module.css'

const route = getRouteApi('/jobs')

type Question = { readonly action: JobChange; readonly jobs?: readonly FoundJob[] }

export function JobsPage() {
  const search = route.useSearch()
  const filter = readJobFilter(search)
  const odd = oddStatusOf(search)
  const rangeSearch = keepRange(search)
  const range = useRange()
  const navigate = useNavigate()
  const list = useJobList(filter, rangeSearch)
  const [selected, select] = useState<ReadonlySet<string>>(new Set())
  const [question, ask] = useState<Question>()
  const [refusal, refuse] = useState<string>()
  const chosen = list.jobs.filter(({ id }) => selected.has(id))
  const change = (next: JobFilter): void => void navigate({ to: '/jobs', search: { ...rangeSearch, ...next } })
  /** About those of the jobs with which it can be done. */
  const askAbout = (action: JobChange, jobs: readonly FoundJob[]): void => {
    const able = jobs.filter((job) => mayChange(action, job))
    refuse(able.length === 0 ? REFUSALS[action] : undefined)
    if (able.length > 0) ask({ action, jobs: able })
  }
  const close = (): void => {
    ask(undefined)
    select(new Set())
  }
  return (
    <Page
      title="Jobs"
      actions={
        <>
          <Button onClick={() => ask({ action: 'retry' })}>Retry all…</Button>
          <Button onClick={() => ask({ action: 'cancel' })}>Cancel all…</Button>
          <CopyButton text={toCommand(filter, range)} what="as command" />
        </>
      }
    >
      <FilterBar filter={filter} onChange={change} />
      {odd !== undefined && <Problem error={new Error(`No job has the status ${odd} of this address: jobs of any status are listed.`)} />}
      {list.error && <Problem error={list.error} onRetry={list.readAgain} />}
      <Summary list={list} />
      <p role="status" hidden={refusal === undefined}>
        {refusal}
      </p>
      {chosen.length > 0 && <Selection jobs={chosen} ask={askAbout} onClear={() => select(new Set())} />}
      <JobRows list={list} selected={selected} onSelect={select} onAsk={askAbout} chosen={chosen} />
      {isEmpty(list) && <NothingFound filter={filter} range={rangeSearch} />}
      {question && <Answer question={question} filter={toBulk(filter, toSearch(filter, range))} onClose={close} />}
    </Page>
  )
}

const isEmpty = ({ jobs, isPending, hasMore, error }: JobList): boolean => jobs.length === 0 && !isPending && !hasMore && error === null

interface AnswerProps {
  readonly question: Question
  readonly filter: BulkBody['filter']
  readonly onClose: () => void
}

function Answer({ question: { action, jobs }, filter: now, onClose }: AnswerProps) {
  // The range of the page moves on while the dialog is open.
  const [filter] = useState(now)
  return jobs === undefined ? (
    <BulkDialog action={action} filter={filter} which="that match" onClose={onClose} />
  ) : (
    <SelectedDialog action={action} jobs={jobs} onClose={onClose} />
  )
}

function toBulk(filter: JobFilter, { since, until }: { readonly since?: number | undefined; readonly until?: number | undefined }) {
  return { ...filter, ...(since !== undefined && { since }), ...(until !== undefined && { until }) }
}

function Summary({ list: { jobs, hasMore, isPending, hasNews, readAgain, error } }: { readonly list: JobList }) {
  // Nothing is known, which is not the same as no job.
  if (error !== null && jobs.length === 0) return null
  return (
    <div className={styles.summary}>
      <p role="status">
        {isPending
          ? 'Looking for jobs…'
          : `${formatCount(jobs.length)}${hasMore ? ' and more' : ''} ${jobs.length === 1 && !hasMore ? 'job' : 'jobs'}`}
      </p>
      {hasNews && (
        <Button kind="primary" onClick={readAgain}>
          There is news: show it
        </Button>
      )}
    </div>
  )
}

interface SelectionProps {
  readonly jobs: readonly FoundJob[]
  readonly ask: (action: JobChange, jobs: readonly FoundJob[]) => void
  readonly onClear: () => void
}

function Selection({ jobs, ask, onClear }: SelectionProps) {
  return (
    <div className={styles.selection} role="group" aria-label="Selected jobs">
      <span>{jobs.length} selected</span>
      <Button onClick={() => ask('retry', jobs)}>Retry</Button>
      <Button kind="danger" onClick={() => ask('cancel', jobs)}>
        Cancel
      </Button>
      <Button onClick={onClear}>Select none</Button>
    </div>
  )
}
