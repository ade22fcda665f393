// What the find box lists for a text: each kind of thing with its address. An empty text lists the pages.
import type { EndpointView, FoundJob, PoolView, WorkerLifeView } from '@runyard/schema/api'
import { PAGES } from './pages.ts'

export interface Findable {
  readonly endpoints: readonly Pick<EndpointView, 'id' | 'name'>[]
  readonly hosts: PoolView['hosts']
  readonly workers: readonly Pick<WorkerLifeView, 'id' | 'endpoint' | 'phase' | 'host'>[]
  /** Found by the gateway. */
  readonly jobs: readonly Pick<FoundJob, 'id' | 'endpoint' | 'status'>[]
}

export interface Finding {
  readonly kind: 'page' | 'endpoint' | 'worker' | 'card' | 'job'
  readonly name: string
  readonly note: string
  /** Below the page's own path. */
  readonly href: string
}

const MOST_OF_A_KIND = 6

/** Everything whose name, id or note has all words of the text. */
export function findIn(all: Findable, text: string): readonly Finding[] {
  const words = text.toLowerCase().split(/\s+/u).filter(Boolean)
  const pages = PAGES.map(({ to, label }): Finding => ({ kind: 'page', name: label, note: '', href: to }))
  if (words.length === 0) return pages
  const has = ({ name, note, href }: Finding): boolean => words.every((word) => `${name} ${note} ${href}`.toLowerCase().includes(word))
  const kinds = [pages, endpointsOf(all), cardsOf(all), workersOf(all)].map((kind) => kind.filter(has).slice(0, MOST_OF_A_KIND))
  return [...kinds.flat(), ...jobsOf(all).slice(0, MOST_OF_A_KIND)]
}

function endpointsOf({ endpoints }: Findable): readonly Finding[] {
  return endpoints.map(({ id, name }) => ({ kind: 'endpoint', name, note: id, href: `/endpoints/${id}` }))
}

function workersOf({ workers }: Findable): readonly Finding[] {
  return workers.map(({ id, endpoint, phase, host }) => ({
    kind: 'worker',
    name: id,
    note: `${phase}, ${endpoint.name} on ${host}`,
    href: `/workers/${id}`,
  }))
}

function cardsOf({ hosts }: Findable): readonly Finding[] {
  return hosts.flatMap(({ label, gpus }) =>
    gpus.map(({ uuid, index, name }) => ({
      kind: 'card' as const,
      name: `${label} · ${index}`,
      note: `${name} ${uuid}`,
      href: `/gpus/${uuid}`,
    })),
  )
}

function jobsOf({ jobs }: Findable): readonly Finding[] {
  return jobs.map(({ id, endpoint, status }) => ({ kind: 'job', name: id, note: `${status}, ${endpoint.name}`, href: `/jobs/${id}` }))
}
