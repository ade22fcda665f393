// Xid lines of the kernel log: the early and attributed sign of a fault. nvidia-smi prints no Xid in any version. Classes follow NVIDIA's catalogue
// (docs.nvidia.com/deploy/xid-errors, Ampere and newer); where the line carries the driver's own verdict (Xid 154), that counts.
import { recoveryKind } from './faults.ts'
import type { FaultKind } from './report.ts'

/**
 * What an Xid means for the card. `application`: the job fails, the card stays. `note`: nothing to do. `teardown`: follows another fault, or our own
 * kill of a process. `contained`: the job fails; reset the card when it is free. Others: a fault of that kind.
 */
export type XidClass = 'application' | 'note' | 'teardown' | 'contained' | 'unknown' | FaultKind

export interface XidEvent {
  readonly xid: number
  /** `0000:9b:00`, lower case: compare with `toPciAddress` of a report's `pciBusId`. */
  readonly pciAddress: string
  /** The process as the host numbers it; null where the kernel does not know. */
  readonly pid: number | null
  readonly processName: string | null
  readonly class: XidClass
  /** What stands after the names. */
  readonly text: string
}

const LINE = /NVRM: Xid \((?:PCI:)?([0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2})(?:\.[0-9a-f])?\): (\d+)(?:, (.*))?$/i
const NAMES = /^(?:pid=('?)(\d+|<unknown>)\1)?(?:, )?(?:name=([^,]*))?(?:, )?(.*)$/

const ranges = (text: string): readonly number[] =>
  text.split(' ').flatMap((part) => {
    const [from = 0, to = from] = part.split('-').map(Number)
    return Array.from({ length: to - from + 1 }, (_, at) => from + at)
  })

const CLASSES: ReadonlyMap<number, XidClass> = new Map(
  (
    [
      ['application', '8 11 13 25 31 32 39-41 60 68-72 75-77 80 82-86 88 89 96-105 126-135 139 142'],
      ['note', '14 37 38 43 44 63 66 67 92 93 106-108 121 137 141 157 160-165'],
      ['teardown', '45'],
      ['contained', '94'],
      ['reset', '46 48 62 64 95 109 110 119 120 136 140 143 155 156 158 167 169 171 172'],
      ['reboot', '79 151'],
    ] as const
  ).flatMap(([kind, codes]) => ranges(codes).map((code) => [code, kind] as const)),
)
/** NVLink errors: the line itself says Fatal or Nonfatal. */
const NVLINK = new Set(ranges('74 144-150'))

/** Parses one line of the kernel log; undefined where it is no Xid. */
export function parseXid(line: string): XidEvent | undefined {
  const [, pci, code, rest = ''] = LINE.exec(line.trim()) ?? []
  if (pci === undefined || code === undefined) return undefined
  const [, , pid, name, text = ''] = NAMES.exec(rest) ?? []
  const xid = Number(code)
  const known = knownOrNull(pid)
  return {
    xid,
    pciAddress: toPciAddress(pci),
    pid: known === null ? null : Number(known),
    processName: knownOrNull(name),
    class: classOf(xid, text),
    text,
  }
}

const knownOrNull = (text: string | undefined): string | null => (text === undefined || text === '' || text === '<unknown>' ? null : text)

function classOf(xid: number, text: string): XidClass {
  if (xid === 154) {
    const action = /to 0x[0-9a-f]+ \(([^)]*)\)/i.exec(text)?.[1] ?? ''
    return action === 'None' ? 'note' : recoveryKind(action)
  }
  if (NVLINK.has(xid)) return /\bNonfatal\b/i.test(text) ? 'note' : 'reset'
  return CLASSES.get(xid) ?? 'unknown'
}

/** `00000000:9B:00.0`, `0000:9b:00` → `0000:9b:00`: four digits of domain unless it needs more, without the function. */
export function toPciAddress(pciBusId: string): string {
  const [domain = '', ...rest] = pciBusId
    .toLowerCase()
    .replace(/\.[0-9a-f]$/, '')
    .split(':')
  return [domain.replace(/^0+/, '').padStart(4, '0'), ...rest].join(':')
}
