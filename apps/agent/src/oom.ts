// Reads the kernel's count of out-of-memory kills in this worker's cgroup (v2 `memory.events`, v1 `memory.oom_control`).
// Unknown is undefined: then a SIGKILL is reported as what it is, without a guess.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const V2_ROOT = '/sys/fs/cgroup'
const V1_ROOT = '/sys/fs/cgroup/memory'

export interface CgroupMemory {
  readonly oomKills: number | undefined
  readonly limitBytes: number | undefined
}

export function readCgroupMemory(): CgroupMemory {
  const lines = (read('/proc/self/cgroup') ?? '').split('\n').map((line) => line.split(':'))
  const v1 = lines.find((parts) => parts[1]?.split(',').includes('memory'))?.[2]
  const v2 = lines.find((parts) => parts[0] === '0')?.[2]
  // Inside a container the path names the host's tree while only its own part is mounted: then the root is ours.
  const v1Dirs = v1 === undefined ? [] : [join(V1_ROOT, v1), V1_ROOT]
  const v2Dirs = v2 === undefined ? [] : [join(V2_ROOT, v2), V2_ROOT]
  return {
    oomKills: firstNumber(v2Dirs, 'memory.events', /^oom_kill (\d+)$/m) ?? firstNumber(v1Dirs, 'memory.oom_control', /^oom_kill (\d+)$/m),
    limitBytes: firstNumber(v2Dirs, 'memory.max', /^(\d+)$/m) ?? plausible(firstNumber(v1Dirs, 'memory.limit_in_bytes', /^(\d+)$/m)),
  }
}

/** cgroup v1 says "unlimited" with a number near 2⁶³. */
function plausible(limit: number | undefined): number | undefined {
  return limit !== undefined && limit < 2 ** 60 ? limit : undefined
}

function firstNumber(directories: readonly string[], file: string, pattern: RegExp): number | undefined {
  for (const directory of directories) {
    const found = pattern.exec(read(join(directory, file)) ?? '')?.[1]
    if (found !== undefined) return Number(found)
  }
  return undefined
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
