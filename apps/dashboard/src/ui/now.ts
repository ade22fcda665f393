import { useEffect, useState } from 'react'

/** The time in epoch ms, in steps of `everyMs`. */
export function useNow(everyMs: number): number {
  const [now, setNow] = useState(() => Math.floor(Date.now() / everyMs) * everyMs)
  useEffect(() => {
    const timer = setInterval(() => setNow(Math.floor(Date.now() / everyMs) * everyMs), Math.min(everyMs, 1000))
    return () => clearInterval(timer)
  }, [everyMs])
  return now
}
