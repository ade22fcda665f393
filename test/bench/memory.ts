// The memory of another process, as Linux counts it.
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

export async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1024
}

/** By how much it grows at most while `work` runs. */
export async function growthWhile(pid: number, work: () => Promise<unknown>): Promise<number> {
  const before = await residentBytes(pid)
  const state = { highest: before, isOver: false }
  const watching = (async () => {
    while (!state.isOver) {
      state.highest = Math.max(state.highest, await residentBytes(pid))
      await sleep(20)
    }
  })()
  try {
    await work()
  } finally {
    state.isOver = true
    await watching
  }
  return state.highest - before
}
