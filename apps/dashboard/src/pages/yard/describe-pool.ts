import type { Reason } from '@runyard/schema'
import type { EndpointLoadView, NoticeListView, PoolView } from '@runyard/schema/api'
import { formatCounted } from '../../ui/format.ts'
import { quoteShell } from '../../ui/quote-shell.ts'

type Notice = NoticeListView['notices'][number]

/** Something that needs a person. */
export interface Trouble {
  /** The name of the host, card, endpoint or file. */
  readonly subject: string
  readonly message: string
  /** What mends it, or says how. */
  readonly command: string
  /** Epoch ms; absent: not known. */
  readonly since?: number
  /** Its endpoint, where it has jobs that wait. */
  readonly endpointId?: string
}

/** What mends each, on the command line. */
const COMMANDS: Readonly<Record<Notice['event'], (subject: string) => string>> = {
  host_lost: () => 'runyard doctor',
  gpu_quarantined: (uuid) => `runyard hosts release HOST ${quoteShell(uuid)}`,
  endpoint_crash_loop: (name) => `runyard logs ${quoteShell(name)}`,
  release_failed: (name) => `runyard rollback ${quoteShell(name)}`,
  store_problem: () => 'runyard doctor',
  store_away: () => 'runyard doctor',
  certificate_expires: () => 'runyard config set tls.cert FILE',
}

/** Why jobs wait that run by themselves in time: a busy pool needs no person. */
const PASSING: ReadonlySet<string> = new Set([
  'gpus_busy',
  'hosts_full',
  'not_enough_memory',
  'not_enough_cpu',
  'key_limit',
  'low_priority',
  'no_worker_yet',
  'worker_starting',
  'workers_busy',
  'about_to_start',
  'jobs_ahead',
] satisfies Reason[])

/** The notices, and before any notice the endpoints whose jobs wait without a prospect. */
export function troublesOf(notices: readonly Notice[], loads: readonly EndpointLoadView[]): readonly Trouble[] {
  const noticed = notices.map(({ event, subject, message, since }) => {
    const endpointId = loads.find(({ name }) => name === subject)?.id
    const command = COMMANDS[event](subject)
    return {
      subject,
      message,
      command,
      ...(since !== null && { since: Date.parse(since) }),
      ...(endpointId !== undefined && { endpointId }),
    }
  })
  const stuck = loads.flatMap(({ id, name, jobs, reason, message = '' }) => {
    if (reason === undefined || PASSING.has(reason) || jobs.inQueue === 0 || noticed.some(({ subject }) => subject === name)) return []
    const command = `runyard explain ${quoteShell(name)}`
    return [{ subject: name, message: `${formatCounted(jobs.inQueue, 'job waits', 'jobs wait')}: ${message}`, command, endpointId: id }]
  })
  return [...noticed, ...stuck]
}

/** `2 things need you · 6 of 8 cards in use on 2 hosts · 41 jobs run, 12 wait`. */
export function describePool({ hosts }: PoolView, troubles: readonly Trouble[], loads: readonly EndpointLoadView[]): string {
  const need = troubles.length === 0 ? 'Nothing needs you' : formatCounted(troubles.length, 'thing needs you', 'things need you')
  const parts = [need, describeCards(hosts), describeJobs(loads)]
  return parts.filter((part) => part !== '').join(' · ')
}

function describeCards(hosts: PoolView['hosts']): string {
  if (hosts.length === 0) return 'no host is configured'
  const cards = hosts.flatMap(({ gpus }) => gpus)
  const on = formatCounted(hosts.length, 'host', 'hosts')
  if (cards.length === 0) return `${on} without a GPU`
  const atWork = cards.filter(({ holders }) => holders.length > 0).length
  return `${atWork} of ${formatCounted(cards.length, 'card', 'cards')} in use on ${on}`
}

function describeJobs(loads: readonly EndpointLoadView[]): string {
  const sum = (of: (jobs: EndpointLoadView['jobs']) => number): number => loads.reduce((all, { jobs }) => all + of(jobs), 0)
  if (loads.length === 0) return ''
  return `${formatCounted(
    sum(({ inProgress }) => inProgress),
    'job runs',
    'jobs run',
  )}, ${formatCounted(
    sum(({ inQueue }) => inQueue),
    'waits',
    'wait',
  )}`
}
