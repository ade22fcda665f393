// Decides which signs in a GPU's report forbid assigning it work. Failure direction: no fault, because an absent field proves nothing. Only what
// would fail the next job counts; old correctable errors and past page retirements do not.
import { child, integer, isYes, text } from './fields.ts'
import type { Node } from './fields.ts'

const DEAD_TEXT = /gpu is lost|fallen off the bus|requires reset|unknown error|^\[?ERR!\]?$/i
/** Fields that every working GPU reports; an error text in one of them is about the GPU itself. */
const VITAL_FIELDS = ['product_name', 'uuid', 'persistence_mode', 'performance_state'] as const

/** Sum of the uncorrectable counters, whose names changed with Ampere and again with Hopper; null if there are none. */
export function uncorrectableEccErrors(counters: Node): number | null {
  const names = ['sram_uncorrectable', 'sram_uncorrectable_parity', 'sram_uncorrectable_secded', 'dram_uncorrectable']
  const known = names.map((name) => integer(counters, name)).filter((count) => count !== null)
  if (known.length > 0) return known.reduce((sum, count) => sum + count, 0)
  return integer(child(counters, 'double_bit'), 'total')
}

function deadText(gpu: Node): string | undefined {
  const memory = child(gpu, 'fb_memory_usage')
  const values = [...VITAL_FIELDS.map((name) => gpu[name]), memory.total, memory.used, child(gpu, 'temperature').gpu_temp]
  return values.filter((value) => typeof value === 'string').find((value) => DEAD_TEXT.test(value.trim()))
}

/** Boolean flags, worst first: their path in the report, and the meaning of "Yes". */
const FLAGS: readonly { readonly path: readonly string[]; readonly flag: string; readonly fault: string }[] = [
  {
    path: ['remapped_rows'],
    flag: 'remapped_row_failure',
    fault: 'a faulty memory row could not be remapped; the card needs replacement',
  },
  { path: ['remapped_rows'], flag: 'remapped_row_pending', fault: 'a memory row waits to be remapped; the card needs a reset' },
  { path: ['retired_pages'], flag: 'pending_retirement', fault: 'a memory page waits to be retired; the card needs a reset' },
  { path: ['retired_pages'], flag: 'pending_blacklist', fault: 'a memory page waits to be retired; the card needs a reset' },
  { path: ['ecc_errors', 'aggregate'], flag: 'sram_threshold_exceeded', fault: 'the threshold of uncorrectable SRAM errors is exceeded' },
]

export function findFaults(gpu: Node): readonly string[] {
  const dead = deadText(gpu)
  const recovery = text(gpu, 'gpu_recovery_action')
  const uncorrectable = uncorrectableEccErrors(child(child(gpu, 'ecc_errors'), 'volatile')) ?? 0
  const faults = [
    ...(dead === undefined ? [] : [`the card does not answer the driver ("${dead.trim()}")`]),
    ...(recovery === null ? [] : [`the driver asks for a recovery action: ${recovery}`]),
    ...FLAGS.filter(({ path, flag }) => isYes(path.reduce(child, gpu), flag)).map(({ fault }) => fault),
    ...(uncorrectable === 0 ? [] : [`${uncorrectable} uncorrectable memory error(s) since the driver was loaded`]),
  ]
  return [...new Set(faults)]
}
