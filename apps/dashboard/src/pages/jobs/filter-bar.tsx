// What is asked for: two lists to choose from, one field for the rest, and a chip for each filter that is in use.
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState, type SubmitEvent } from 'react'
import { endpointsQuery } from '../../api/queries.ts'
import { keepRange } from '../../app/range.ts'
import { Button } from '../../ui/button.tsx'
import { isJobId, shortId } from '../../ui/format.ts'
import { Select } from '../../ui/select.tsx'
import { jobQuery } from '../job/job-queries.ts'
import { FILTER_NAMES, FILTERS, STATUSES, without, type FilterName, type JobFilter } from './job-filter.ts'
import styles from './jobs-page.module.css'

export interface FilterBarProps {
  readonly filter: JobFilter
  readonly onChange: (filter: JobFilter) => void
}

const TYPED = ['q', 'error', 'worker', 'key'] as const satisfies FilterName[]
const ANY = ''

export function FilterBar({ filter, onChange }: FilterBarProps) {
  const { data: endpoints = [] } = useQuery(endpointsQuery)
  const choose = (name: FilterName, value: string): void => onChange(value === ANY ? without(filter, name) : { ...filter, [name]: value })
  // An address may name it by its id; one that was deleted is in no list.
  const asked = endpoints.find(({ id }) => id === filter.endpoint)?.name ?? filter.endpoint
  const names = [...new Set([...endpoints.map(({ name }) => name), ...(asked === undefined ? [] : [asked])])]
  return (
    <div className={styles.bar} role="search" aria-label="Jobs">
      <Select
        label="Endpoint"
        value={asked ?? ANY}
        options={[{ value: ANY, label: 'all endpoints' }, ...names.map((name) => ({ value: name, label: name }))]}
        onChange={(value) => choose('endpoint', value)}
      />
      <Select
        label="Status"
        value={filter.status ?? ANY}
        options={[{ value: ANY, label: 'any status' }, ...STATUSES.map((status) => ({ value: status, label: status }))]}
        onChange={(value) => choose('status', value)}
      />
      <TextFilter onFind={choose} />
      <Chips filter={filter} onChange={onChange} />
    </div>
  )
}

function TextFilter({ onFind }: { readonly onFind: (name: FilterName, value: string) => void }) {
  const [name, setName] = useState<FilterName>('q')
  const [text, setText] = useState('')
  const navigate = useNavigate()
  const cache = useQueryClient()
  const find = async (event: SubmitEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault()
    const given = text.trim()
    if (given === '') return
    setText('')
    const isThere =
      isJobId(given) &&
      (await cache.fetchQuery(jobQuery(given)).then(
        () => true,
        () => false,
      ))
    if (isThere) await navigate({ to: '/jobs/$id', params: { id: given }, search: keepRange })
    else onFind(name, given)
  }
  return (
    <form className={styles.find} onSubmit={(event) => void find(event)}>
      <Select
        label="Look in"
        value={name}
        options={TYPED.map((value) => ({ value, label: FILTERS[value] }))}
        onChange={(value) => setName(value as FilterName)}
      />
      <input
        type="search"
        aria-label="Find jobs"
        placeholder={name === 'q' ? 'text of an error, or an id' : FILTERS[name]}
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <Button type="submit">Find</Button>
    </form>
  )
}

function Chips({ filter, onChange }: FilterBarProps) {
  const used = FILTER_NAMES.filter((name) => filter[name] !== undefined)
  if (used.length === 0) return null
  return (
    <ul className={styles.chips} aria-label="Filters in use">
      {used.map((name) => (
        <li key={name}>
          <button type="button" className={styles.chip} onClick={() => onChange(without(filter, name))}>
            <span className="visually-hidden">Drop </span>
            {FILTERS[name]}: <strong title={filter[name]}>{shorten(name, filter[name] ?? '')}</strong> <span aria-hidden>×</span>
          </button>
        </li>
      ))}
    </ul>
  )
}

const MOST_LETTERS = 40

function shorten(name: FilterName, value: string): string {
  if (name === 'key') return shortId(value)
  return value.length > MOST_LETTERS ? `${value.slice(0, MOST_LETTERS)}…` : value
}
