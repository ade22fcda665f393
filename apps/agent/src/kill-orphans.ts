// Kills processes that user code started, if the supervisor that would have killed them was killed itself. They are found by the runtime
// directory in their environment, which they inherited. Without /proc nothing is killed.
import { readdirSync, readFileSync } from 'node:fs'

export function killOrphans(runtimeDir: string): void {
  const mark = Buffer.from(`RUNYARD_RUNTIME_DIR=${runtimeDir}\0`)
  for (const pid of listPids()) {
    try {
      if (readFileSync(`/proc/${pid}/environ`).includes(mark)) process.kill(pid, 'SIGKILL')
    } catch {
      // It has ended, or belongs to another user.
    }
  }
}

function listPids(): number[] {
  try {
    return readdirSync('/proc')
      .map(Number)
      .filter((pid) => Number.isInteger(pid) && pid !== process.pid)
  } catch {
    return []
  }
}
