import { useZone } from '../app/preferences.ts'
import { formatAge, formatTime } from './format.ts'
import { useNow } from './now.ts'

/** A time as an age, exact when the pointer rests on it. `at`: epoch ms. */
export function Moment({ at }: { readonly at: number }) {
  const now = useNow(1000)
  const exact = formatTime(at, useZone())
  return (
    <time dateTime={new Date(at).toISOString()} title={exact}>
      {formatAge(Math.max(0, now - at))}
    </time>
  )
}
