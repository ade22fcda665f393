// What each host and its cards said to one more worker. Cards of a host that said the same are one line.
import type { ExplainView } from '@runyard/schema/api'
import { UncordonHost } from './uncordon-host.tsx'
import styles from './job-page.module.css'

type Host = ExplainView['hosts'][number]
type Gpu = Host['gpus'][number]

export function HostVerdicts({ hosts }: { readonly hosts: readonly Host[] }) {
  if (hosts.length === 0) return <p>No host was seen yet.</p>
  return (
    <ul className={styles.hosts} aria-label="What each host said">
      {hosts.map(({ hostId, host, refusal, gpus }) => (
        <li key={hostId}>
          <div>
            <strong>{host}</strong>{' '}
            <span className={styles.verdict} data-refused={refusal !== undefined}>
              {refusal === undefined ? '✓ could take it' : `✕ ${refusal.message}`}
            </span>
            {refusal?.reason === 'cordoned' && <UncordonHost id={hostId} name={host} />}
          </div>
          {gpus.length > 0 && (
            <ul>
              {groupCards(gpus).map(({ name, count, refusal: own }) => (
                <li key={`${name} ${own?.message ?? ''}`}>
                  {count} × {name}: {own === undefined ? 'free for it' : own.message}
                </li>
              ))}
            </ul>
          )}
        </li>
      ))}
    </ul>
  )
}

export interface CardGroup {
  readonly name: string
  readonly count: number
  readonly refusal: Gpu['refusal']
}

export function groupCards(gpus: readonly Gpu[]): readonly CardGroup[] {
  const groups = Map.groupBy(gpus, ({ name, simulated, refusal }) => `${name} ${simulated} ${refusal?.message ?? ''}`)
  return [...groups.values()].flatMap(([first, ...others]) => {
    if (first === undefined) return []
    const name = first.simulated ? `${first.name} (simulated)` : first.name
    return [{ name, count: 1 + others.length, refusal: first.refusal }]
  })
}
