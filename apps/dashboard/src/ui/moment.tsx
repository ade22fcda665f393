import { useZone } from '../app/preferences.ts'
import { formatAge, formatTime } from './format.ts'
import { useNow } from './now.ts'

/** A clock may be this much ahead of another. */
const SKEW_MS = 5000

/** A time as an age, exact when the pointer rests on it. `at`: epoch ms. */
export function Moment({ at }: { readonly at: number }) {
  const now = useNow(1000)
  const exact = formatTime(at, useZone())
  return (
    <time dateTime={new Date(at).toISOString()} title={exact}>
      {formatAge(now - at > -SKEW_MS ? Math.max(0, now - at) : now - at)}
    </time>
  )
}
