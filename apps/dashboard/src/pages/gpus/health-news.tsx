// Announces to screen readers what changed for the worse or the better, and nothing else; at most once in ten seconds.
import { useQuery } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import type { PoolView } from '@runyard/schema/api'
import { poolQuery } from '../../api/queries.ts'

const AT_MOST_EVERY_MS = 10_000

/** Who is not well: cards out of use, hosts that are not ready. */
function troubleOf(pool: PoolView): ReadonlySet<string> {
  const names = pool.hosts.flatMap(({ label, health, gpus }) => [
    ...(health === 'ready' ? [] : [`host ${label} is ${health}`]),
    ...gpus.flatMap(({ index, outOfUse, healthy }) =>
      outOfUse?.kind === 'quarantined' || !healthy ? [`card ${index} of ${label} is out of use`] : [],
    ),
  ])
  return new Set(names)
}

export function HealthNews() {
  const { data } = useQuery(poolQuery)
  const [news, setNews] = useState('')
  const announced = useRef<ReadonlySet<string>>(undefined)
  const lastAt = useRef(0)
  useEffect(() => {
    if (data === undefined) return undefined
    const now = troubleOf(data)
    const before = announced.current
    const announce = (): void => {
      announced.current = now
      if (before === undefined) return
      const [worse, better] = [[...now].filter((name) => !before.has(name)), [...before].filter((name) => !now.has(name))]
      const words = [...worse, ...better.map((name) => `no longer: ${name}`)]
      if (words.length === 0) return
      lastAt.current = Date.now()
      setNews(words.join('; '))
    }
    const timer = setTimeout(announce, before === undefined ? 0 : Math.max(0, lastAt.current + AT_MOST_EVERY_MS - Date.now()))
    return () => clearTimeout(timer)
  }, [data])
  return (
    <p className="visually-hidden" aria-live="polite">
      {news}
    </p>
  )
}
