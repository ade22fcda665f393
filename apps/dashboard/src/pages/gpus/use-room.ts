import { useEffect, useState } from 'react'

/** What is around the lanes, about. */
const AROUND_PX = 300
const LEAST_PX = 260

const roomNow = (): number => Math.max(LEAST_PX, innerHeight - AROUND_PX)

/** Height for the lanes, in pixels. */
export function useRoom(): number {
  const [room, setRoom] = useState(roomNow)
  useEffect(() => {
    const onResize = (): void => setRoom(roomNow())
    addEventListener('resize', onResize)
    return () => removeEventListener('resize', onResize)
  }, [])
  return room
}
