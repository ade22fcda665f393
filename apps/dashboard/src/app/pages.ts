// The pages of the navigation, and what the tab of the browser is called: `Jobs · Runyard`, `caption · Runyard`.
import type { EndpointView } from '@runyard/schema/api'
import { capitalise, shortId } from '../ui/format.ts'

/** The pages of the navigation, in the order in which an operator asks. `g` and then the key of a page goes there. */
export const PAGES = [
  { to: '/', label: 'Yard', key: 'y' },
  { to: '/jobs', label: 'Jobs', key: 'j' },
  { to: '/gpus', label: 'GPUs', key: 'g' },
  { to: '/usage', label: 'Usage', key: 'u' },
  { to: '/failures', label: 'Failures', key: 'f' },
  { to: '/endpoints', label: 'Endpoints', key: 'e' },
  { to: '/logs', label: 'Logs', key: 'l' },
  { to: '/settings', label: 'Settings', key: 's' },
  { to: '/start', label: 'Start', key: 'b' },
] as const

const ONE_OF: Readonly<Record<string, string>> = { jobs: 'Job', workers: 'Worker', gpus: 'Card', hosts: 'Host' }

type Named = Pick<EndpointView, 'id' | 'name'>

/** `pathname`: below the page's own path. */
export function titleOf(pathname: string, endpoints: readonly Named[]): string {
  const [page = '', id = '', part = ''] = pathname.split('/').slice(1).map(decodeSafely)
  const own = id === '' ? titlesOfPage(page) : page === 'endpoints' ? titlesOfEndpoint(id, part, endpoints) : titlesOfOne(page, id)
  return [...own, 'Runyard'].join(' · ')
}

function titlesOfPage(page: string): readonly string[] {
  if (page === 'sign-in') return ['Sign in']
  return PAGES.filter(({ to }) => to === `/${page}`).map(({ label }) => label)
}

function titlesOfEndpoint(id: string, tab: string, endpoints: readonly Named[]): readonly string[] {
  const name = endpoints.find((one) => one.id === id || one.name === id)?.name ?? id
  return tab === '' ? [name] : [name, capitalise(tab)]
}

function titlesOfOne(page: string, id: string): readonly string[] {
  if (page === 'settings') return [capitalise(id), 'Settings']
  const kind = ONE_OF[page]
  return kind === undefined ? [] : [`${kind} ${page === 'hosts' ? id : shortId(id)}`]
}

/** An address that somebody has cut may end within an escape. */
function decodeSafely(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
