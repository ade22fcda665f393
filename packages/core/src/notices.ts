// What needs a person (ADR 83), from facts of the pool; and what the receivers are notified of. Failure direction: what could not be read is not among
// the facts, and nothing of that kind is opened or resolved.
import type { CardRecord, Endpoint, HostRecord, NoticeEvent, OpenNotice, Problem } from '@runyard/schema'
import { rollBackOf } from './release.ts'

/** Of a host whose scaler wrote nothing for longer, nothing is known any more. */
const SIGHT_HOLDS_MS = 180_000
const CERTIFICATE_NOTICE_MS = 14 * 86_400_000
/** What comes back within this time was never away. */
export const RESOLVE_AFTER_MS = 60_000

export interface NoticeFacts {
  readonly now: number
  readonly hosts: readonly HostRecord[]
  readonly cards: readonly CardRecord[]
  readonly endpoints: readonly { readonly endpoint: Endpoint; readonly reason: string | undefined; readonly message: string | undefined }[]
  readonly storeProblems: readonly { readonly kind: string; readonly message: string }[]
  /** Epoch ms; undefined: the gateway has none. */
  readonly certificate: { readonly path: string; readonly expiresAt: number } | undefined
}

export function problemsOf(facts: NoticeFacts): readonly Problem[] {
  return [
    ...hostProblems(facts),
    ...cardProblems(facts),
    ...endpointProblems(facts),
    ...storeProblems(facts),
    ...certificateProblems(facts),
  ]
}

function hostProblems({ hosts, now }: NoticeFacts): readonly Problem[] {
  return hosts.flatMap(({ sight }) => {
    if (sight === undefined || sight.health !== 'unreachable' || now - sight.at > SIGHT_HOLDS_MS) return []
    return [{ event: 'host_lost', subject: sight.label, message: sight.problem ?? `The host ${sight.label} cannot be reached.` }]
  })
}

function cardProblems({ cards }: NoticeFacts): readonly Problem[] {
  return cards.flatMap(({ uuid, claim }) =>
    claim?.kind === 'quarantined' ? [{ event: 'gpu_quarantined', subject: uuid, message: `${claim.cause}: ${claim.message}` }] : [],
  )
}

function endpointProblems({ endpoints }: NoticeFacts): readonly Problem[] {
  return endpoints.flatMap(({ endpoint, reason, message = '' }): readonly Problem[] => {
    const { name: subject, ownerId } = endpoint
    const rolledBack = rollBackOf(endpoint)
    if (rolledBack !== undefined) return [{ event: 'release_failed', subject, message: rolledBack, ownerId }]
    if (reason !== 'backing_off') return []
    // A release that never had a ready worker, or one that had and now fails.
    const isNew = endpoint.goodRelease?.specHash !== endpoint.specHash
    return [{ event: isNew ? 'release_failed' : 'endpoint_crash_loop', subject, message, ownerId }]
  })
}

function storeProblems({ storeProblems: problems }: NoticeFacts): readonly Problem[] {
  return problems.map(({ kind, message }) => ({ event: kind === 'away' ? 'store_away' : 'store_problem', subject: kind, message }))
}

function certificateProblems({ certificate, now }: NoticeFacts): readonly Problem[] {
  if (certificate === undefined || certificate.expiresAt - now > CERTIFICATE_NOTICE_MS) return []
  const { path, expiresAt } = certificate
  const message = `The certificate ${path} ${expiresAt <= now ? 'expired' : 'expires'} at ${new Date(expiresAt).toISOString()}.`
  return [{ event: 'certificate_expires', subject: path, message }]
}

/** Endpoints of two owners may have one name. */
export const noticeKey = ({ event, subject, ownerId = '' }: Pick<Problem, 'event' | 'subject' | 'ownerId'>): string =>
  `${event} ${ownerId} ${subject}`

export interface NoticeChange {
  readonly kind: 'opened' | 'resolved'
  readonly notice: OpenNotice
}

/** What to report. `missingSince`: by key, since when a known problem is not there any more. */
export function noticeChanges(
  known: readonly OpenNotice[],
  current: readonly Problem[],
  { now, newId, missingSince }: { readonly now: number; readonly newId: () => string; readonly missingSince: ReadonlyMap<string, number> },
): readonly NoticeChange[] {
  const knownKeys = new Set(known.map(noticeKey))
  // Two hosts may have one name for a moment.
  const problems = new Map(current.map((problem) => [noticeKey(problem), problem]))
  const opened = [...problems]
    .filter(([key]) => !knownKeys.has(key))
    .map(([, problem]): NoticeChange => ({ kind: 'opened', notice: { id: newId(), ...problem, since: now } }))
  const resolved = known
    .filter((notice) => !problems.has(noticeKey(notice)) && now - (missingSince.get(noticeKey(notice)) ?? now) >= RESOLVE_AFTER_MS)
    .map((notice): NoticeChange => ({ kind: 'resolved', notice }))
  return [...opened, ...resolved]
}

/** What a receiver gets. */
export interface NoticeBody {
  readonly type: 'runyard.notice'
  readonly id: string
  readonly event: NoticeEvent | 'test'
  readonly state: 'opened' | 'resolved'
  readonly subject: string
  readonly message: string
  readonly since: string
  readonly resolvedAt: string | null
}

export function noticeBody({ kind, notice: { id, event, subject, message, since } }: NoticeChange, now: number): NoticeBody {
  const resolvedAt = kind === 'resolved' ? new Date(now).toISOString() : null
  return { type: 'runyard.notice', id, event, state: kind, subject, message, since: new Date(since).toISOString(), resolvedAt }
}
