import { useEffect, useState } from 'react'
import { gatewayNow } from '../app/clock.ts'

/** The time in epoch ms, in steps of `everyMs`. */
export function useNow(everyMs: number): number {
  const [now, setNow] = useState(() => Math.floor(gatewayNow() / everyMs) * everyMs)
  useEffect(() => {
    const timer = setInterval(() => setNow(Math.floor(gatewayNow() / everyMs) * everyMs), Math.min(everyMs, 1000))
    return () => clearInterval(timer)
  }, [everyMs])
  return now
}
