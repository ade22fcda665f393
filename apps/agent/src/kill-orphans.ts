// The last resort against orphans: what user code started, after the supervisor that would have swept it was killed. Such processes are
// known by the runtime directory in their environment, which they inherited. Where there is no /proc, nothing is done.
import { readdirSync, readFileSync } from 'node:fs'

export function killStrays(runtimeDir: string): void {
  const mark = Buffer.from(`RUNYARD_RUNTIME_DIR=${runtimeDir}\0`)
  for (const pid of listPids()) {
    try {
      if (readFileSync(`/proc/${pid}/environ`).includes(mark)) process.kill(pid, 'SIGKILL')
    } catch {
      // It has ended meanwhile, or is somebody else's.
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
