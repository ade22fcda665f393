// Xid lines of the kernel log, where it can be read: the early sign of a fault, with the card and the process. nvidia-smi prints no Xid. What cannot be read
// is no fault; the report of nvidia-smi shows the consequences later. An error of the program (class `application`) says nothing about the card, and Xid 45
// follows every kill of a process.
import { parseXid, type XidEvent } from '@runyard/nvidia-smi-parser'
import type { CardFault, Gpu } from '@runyard/schema'
import type { FollowCommand } from './follow-command.ts'
import { supervise, type Supervised } from './supervise.ts'

export interface KernelLogOptions {
  readonly follow: FollowCommand
  readonly warn: (message: string) => void
  /** The uuid of the GPU at a PCI address. */
  readonly gpuAt: (pciAddress: string) => string | undefined
  readonly onEvent: () => void
}

export type KernelLog = ReturnType<typeof createKernelLog>

/** Only lines from now on. Members of the groups adm and systemd-journal may read it. */
const JOURNAL = ['journalctl', '--dmesg', '--follow', '--lines=0', '--output=cat', '--quiet'] as const
const KEEP_MS = 60_000
const PAUSES_MS = { first: 10_000, last: 600_000, absent: 3_600_000 } as const

const GRAVE: Partial<Record<XidEvent['class'], CardFault>> = {
  reset: 'reset',
  reboot: 'reboot',
  lost: 'lost',
  replace: 'replace',
  contained: 'contained',
  drain: 'drain',
}

export function createKernelLog({ follow, warn, gpuAt, onEvent }: KernelLogOptions) {
  const latest = new Map<string, NonNullable<Gpu['event']>>()
  const lines = new Map<string, NonNullable<Gpu['xid']>>()
  let journal: Supervised | undefined
  let rest = ''

  function takeLine(line: string): void {
    const xid = parseXid(line)
    const kind = xid && GRAVE[xid.class]
    const uuid = xid && gpuAt(xid.pciAddress)
    if (xid === undefined || uuid === undefined) return
    if (xid.class === 'teardown' || xid.class === 'note') return
    const [message, at] = [describe(xid), Date.now()]
    lines.set(uuid, { at, xid: xid.xid, message, ...(xid.pid === null ? {} : { pid: xid.pid }) })
    if (kind !== undefined) latest.set(uuid, { at, kind, message })
    warn(`GPU ${uuid}: ${message}`)
    onEvent()
  }

  return {
    /** Begins once. */
    start() {
      journal ??= supervise({
        follow,
        command: JOURNAL,
        pausesMs: PAUSES_MS,
        onOutput(text) {
          const printed = (rest + text).split('\n')
          rest = (printed.pop() ?? '').slice(-10_000)
          printed.forEach(takeLine)
          return true
        },
        onEnd: () => undefined,
      })
    },
    /** The last grave line about a GPU, for a minute. */
    latestOf(uuid: string): Gpu['event'] {
      const event = latest.get(uuid)
      return event !== undefined && Date.now() - event.at < KEEP_MS ? event : undefined
    },
    /** The last line about a GPU that says something of it or of a program, however old; what follows a kill is none. */
    lastOf: (uuid: string): NonNullable<Gpu['xid']> | undefined => lines.get(uuid),
    [Symbol.asyncDispose]: async () => journal?.[Symbol.asyncDispose](),
  }
}

function describe({ xid, processName, pid, text }: XidEvent): string {
  const who = processName === null && pid === null ? '' : ` in ${processName ?? 'a process'}${pid === null ? '' : ` (pid ${pid})`}`
  return `the kernel reports Xid ${xid}${who}: ${text.slice(0, 200)}`
}
