// What can be asked of logs. Each choice is a search parameter of the address.
import { useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { workersQuery } from '../../api/endpoint-queries.ts'
import { endpointsQuery } from '../../api/queries.ts'
import { shortId } from '../format.ts'
import { Select } from '../select.tsx'
import type { LogFilter } from './log-filter.ts'
import styles from './log-filters.module.css'

export interface LogFiltersProps {
  readonly filter: LogFilter
  /** What the page itself has chosen; it cannot be changed here. */
  readonly fixed: LogFilter
  /** Undefined takes a choice back. */
  readonly onChange: (change: { readonly [K in keyof LogFilter]?: LogFilter[K] | undefined }) => void
}

const LEVELS = [
  { value: '', label: 'every level' },
  { value: 'info', label: 'info and above' },
  { value: 'warn', label: 'warnings and errors' },
  { value: 'error', label: 'errors' },
]
const SOURCES = [
  { value: '', label: 'every source' },
  { value: 'container', label: 'what workers printed' },
  { value: 'system', label: 'what happened to them' },
]

export function LogFilters({ filter, fixed, onChange }: LogFiltersProps) {
  return (
    <search className={styles.filters}>
      {fixed.endpoint === undefined && fixed.worker === undefined && (
        <EndpointSelect value={filter.endpoint} onChange={(endpoint) => onChange({ endpoint, worker: undefined })} />
      )}
      {fixed.worker === undefined && (
        <WorkerSelect endpoint={fixed.endpoint ?? filter.endpoint} value={filter.worker} onChange={(worker) => onChange({ worker })} />
      )}
      <Select
        label="Level"
        value={filter.level ?? ''}
        options={LEVELS}
        onChange={(level) => onChange({ level: level === '' ? undefined : (level as LogFilter['level']) })}
      />
      <Select
        label="Source"
        value={filter.source ?? ''}
        options={SOURCES}
        onChange={(source) => onChange({ source: source === '' ? undefined : (source as LogFilter['source']) })}
      />
      <SlowInput label="Text" value={filter.q} onChange={(q) => onChange({ q })} />
      <SlowInput label="Job id" value={filter.job} onChange={(job) => onChange({ job })} />
    </search>
  )
}

interface WordProps {
  readonly value: string | undefined
  readonly onChange: (value: string | undefined) => void
}
const orUndefined = (text: string): string | undefined => (text === '' ? undefined : text)

function EndpointSelect({ value, onChange }: WordProps) {
  const { data = [] } = useQuery(endpointsQuery)
  const known = data.map(({ id, name }) => ({ value: id, label: name }))
  // A link may name an endpoint by its name.
  const chosen = data.find(({ id, name }) => id === value || name === value)?.id ?? value ?? ''
  const other = chosen === '' || known.some((option) => option.value === chosen) ? [] : [{ value: chosen, label: chosen }]
  const options = [{ value: '', label: 'every endpoint' }, ...other, ...known]
  return <Select label="Endpoint" value={chosen} options={options} onChange={(id) => onChange(orUndefined(id))} />
}

function WorkerSelect({ endpoint, value, onChange }: WordProps & { readonly endpoint: string | undefined }) {
  const { data = [] } = useQuery(workersQuery({ endpoint }))
  const known = data.map(({ id, phase, endpoint: { name } }) => ({
    value: id,
    label: [shortId(id), ...(endpoint === undefined ? [name] : []), phase].join(' · '),
  }))
  const other = value === undefined || known.some((option) => option.value === value) ? [] : [{ value, label: shortId(value) }]
  const options = [{ value: '', label: 'every worker' }, ...other, ...known]
  return <Select label="Worker" value={value ?? ''} options={options} onChange={(id) => onChange(orUndefined(id))} />
}

const TYPING_MS = 300

/** A search does not begin with every letter. */
function SlowInput({ label, value = '', onChange }: { readonly label: string } & WordProps) {
  const [text, setText] = useState(value)
  const [known, setKnown] = useState(value)
  if (known !== value) {
    setKnown(value)
    setText(value)
  }
  useEffect(() => {
    if (text.trim() === value) return undefined
    const timer = setTimeout(() => onChange(orUndefined(text.trim())), TYPING_MS)
    return () => clearTimeout(timer)
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- only typing starts the clock
  }, [text])
  return (
    <input
      type="search"
      className={styles.input}
      aria-label={label}
      placeholder={label}
      value={text}
      onChange={(event) => setText(event.target.value)}
    />
  )
}
