// Finds a page, an endpoint, a worker, a card or a job by a part of its name or id.
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useDeferredValue, useId, useState, type KeyboardEvent } from 'react'
import { client } from '../api/client.ts'
import { isJobId } from '../ui/format.ts'
import { endpointsQuery, NOTHING_MEANWHILE, poolQuery } from '../api/queries.ts'
import { Dialog } from '../ui/dialog.tsx'
import { keepRange } from './range.ts'
import { findIn, type Finding, type Findable } from './find-in.ts'
import styles from './find-dialog.module.css'

/** Of an id; shorter texts match too much. */
const LEAST_LETTERS = 4
const WHAT = 'A page, an endpoint, a worker, a card or a job'

export function FindDialog({ onClose }: { readonly onClose: () => void }) {
  const [text, setText] = useState('')
  const [at, setAt] = useState(0)
  const navigate = useNavigate()
  const id = useId()
  const { findings, isAsking } = useFindings(useDeferredValue(text.trim()))
  const current = Math.min(at, findings.length - 1)
  const open = (finding: Finding): void => {
    onClose()
    void navigate({ to: finding.href, search: keepRange })
  }
  const find = (next: string): void => {
    setText(next)
    setAt(0)
  }
  const onKey = (event: KeyboardEvent): void => {
    const chosen = findings[current]
    const to = { ArrowDown: Math.min(findings.length - 1, current + 1), ArrowUp: Math.max(0, current - 1) }[event.key]
    if (to !== undefined) setAt(to)
    if (event.key === 'Enter' && chosen !== undefined) open(chosen)
    if (to !== undefined || event.key === 'Enter') event.preventDefault()
  }
  return (
    <Dialog title="Find" onClose={onClose}>
      <input
        className={styles.input}
        type="text"
        role="combobox"
        aria-label={WHAT}
        placeholder={WHAT}
        aria-expanded={findings.length > 0}
        aria-controls={`${id}-list`}
        aria-activedescendant={findings.length > 0 ? `${id}-${current}` : undefined}
        autoComplete="off"
        value={text}
        onKeyDown={onKey}
        onChange={(event) => find(event.target.value)}
      />
      <ul id={`${id}-list`} role="listbox" aria-label="Found" className={styles.list}>
        {findings.map((finding, index) => {
          const [isCurrent, optionId] = [index === current, `${id}-${index}`]
          return <Option key={finding.href} id={optionId} {...{ finding, isCurrent, open }} onPoint={() => setAt(index)} />
        })}
      </ul>
      <p role="status" className={styles.note}>
        {findings.length === 0 && (isAsking ? 'Looking…' : 'Nothing has that name or id.')}
      </p>
    </Dialog>
  )
}

interface OptionProps {
  readonly id: string
  readonly finding: Finding
  readonly isCurrent: boolean
  readonly onPoint: () => void
  readonly open: (finding: Finding) => void
}

/** The field has the focus and its keys; a pointer may choose, too. */
function Option({ id, finding, isCurrent, onPoint, open }: OptionProps) {
  const { kind, name, note } = finding
  return (
    <li id={id} role="option" aria-selected={isCurrent} className={styles.option} onPointerMove={onPoint} onClick={() => open(finding)}>
      <span className={styles.kind}>{kind}</span>
      <span>{name}</span>
      {note !== '' && <span className={styles.note}>{note}</span>}
    </li>
  )
}

function useFindings(text: string): { readonly findings: readonly Finding[]; readonly isAsking: boolean } {
  const { data: endpoints } = useQuery(endpointsQuery)
  const { data: pool } = useQuery(poolQuery)
  const { data: workers } = useQuery({
    queryKey: ['workers', 'find'],
    staleTime: 10_000,
    queryFn: () => client.history.workers({ limit: 1000 }),
  })
  const jobs = useQuery({
    ...NOTHING_MEANWHILE,
    queryKey: ['jobs', 'find', text],
    enabled: text.length >= LEAST_LETTERS,
    queryFn: () => findJobs(text),
  })
  const all: Findable = { endpoints: endpoints ?? [], hosts: pool?.hosts ?? [], workers: workers ?? [], jobs: jobs.data ?? [] }
  return { findings: findIn(all, text), isAsking: jobs.isLoading }
}

/** The list is a second behind, a job by its whole id is not. */
async function findJobs(text: string): Promise<Findable['jobs']> {
  const { jobs } = await client.history.findJobs({ q: text, limit: 20 })
  if (jobs.some(({ id }) => id === text)) return jobs
  const whole = isJobId(text) ? await client.history.getJob(text).catch(() => undefined) : undefined
  return whole === undefined ? jobs : [whole, ...jobs]
}
