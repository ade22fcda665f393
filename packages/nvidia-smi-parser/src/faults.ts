// Decides which signs of a card's report are faults, and of which kind. A field that is absent says nothing, and neither do corrected errors and
// past retirements: only what makes the next job fail, or slow, counts. Sources: the man page of nvidia-smi (recovery actions, ECC, remapped rows)
// and recordings of broken cards, of which one that needs a reset may answer its name, memory and temperature as if it were well.
import { child, errorText, isYes, number, printed, text, type Node } from './fields.ts'
import { FAULT_KINDS, type FaultKind, type NvidiaFault } from './report.ts'

/** Fields that a living card answers. One error may be a broken sensor; two are a broken card. */
const VITAL = [
  'product_name',
  'uuid',
  'performance_state',
  'clocks/sm_clock',
  'clocks/mem_clock',
  'power_readings/power_draw',
  'gpu_power_readings/power_draw',
  'gpu_power_readings/instant_power_draw',
  'temperature/gpu_temp',
  'fb_memory_usage/total',
  'fb_memory_usage/used',
] as const

/** Flags whose "Yes" is a fault. */
const FLAGS: readonly (readonly [path: string, kind: FaultKind, message: string])[] = [
  ['ecc_errors/aggregate/sram_threshold_exceeded', 'replace', 'too many uncorrectable SRAM errors; the card needs replacement'],
  ['remapped_rows/remapped_row_failure', 'replace', 'a faulty memory row could not be remapped; the card needs replacement'],
  ['gpu_reset_status/reset_required', 'reset', 'the driver says that the card needs a reset'],
  ['ecc_errors/channel_repair_pending', 'reset', 'a memory channel waits for repair; the card needs a reset'],
  ['ecc_errors/tpc_repair_pending', 'reset', 'a compute unit waits for repair; the card needs a reset'],
  ['retired_pages/pending_retirement', 'reset', 'a memory page waits for retirement; the card needs a reset'],
  ['retired_pages/pending_blacklist', 'reset', 'a memory page waits for retirement; the card needs a reset'],
  ['gpu_reset_status/drain_and_reset_recommended', 'drain', 'the driver recommends a reset when the card is free'],
  ['remapped_rows/remapped_row_pending', 'drain', 'a memory row waits to be remapped; reset the card when it is free'],
  ['remapped_banks/bank_remapper_pending', 'drain', 'a memory bank waits to be remapped; reset the card when it is free'],
]

/** Hardware that slows the card down. The group and its fields were renamed with driver 535. */
const SLOWDOWNS: readonly (readonly [field: string, message: string])[] = [
  ['hw_thermal_slowdown', 'the card is too hot and runs slower'],
  ['hw_power_brake_slowdown', 'the power supply asks the card to run slower'],
  ['hw_slowdown', 'the hardware slows the card down (heat, power)'],
]

/** All faults of one card, worst first, each kind and sentence once. */
export function findFaults(gpu: Node): readonly NvidiaFault[] {
  const faults = [
    ...silence(gpu),
    ...recovery(gpu),
    ...flags(gpu),
    ...repairs(gpu),
    ...memoryErrors(gpu),
    ...fabric(gpu),
    ...slowdowns(gpu),
  ]
  const unique = faults.filter((fault, at) => faults.findIndex(({ message }) => message === fault.message) === at)
  return unique.toSorted((a, b) => FAULT_KINDS.indexOf(a.kind) - FAULT_KINDS.indexOf(b.kind))
}

/** Sum of the uncorrectable counters, whose names changed with Turing, Ampere and driver 535; null where none is kept. */
export function uncorrectableEccErrors(counters: Node): number | null {
  const names = ['sram_uncorrectable', 'sram_uncorrectable_parity', 'sram_uncorrectable_secded', 'dram_uncorrectable']
  const known = names.map((name) => number(counters, name)).filter((count) => count !== null)
  if (known.length > 0) return known.reduce((sum, count) => sum + count, 0)
  return number(counters, 'double_bit/total')
}

function silence(gpu: Node): readonly NvidiaFault[] {
  const errors = VITAL.flatMap((sign) => {
    const error = errorText(gpu, sign)
    return error === null ? [] : [{ sign, error }]
  })
  const worst = errors.find(({ error }) => /lost/i.test(error)) ?? errors.find(({ error }) => /requires reset/i.test(error))
  const found = worst ?? (errors.length > 1 ? errors[0] : undefined)
  if (found === undefined) return []
  const kind = /lost/i.test(found.error) ? 'lost' : 'reset'
  return [{ kind, sign: found.sign, message: `the card does not answer the driver ("${found.error}")` }]
}

function recovery(gpu: Node): readonly NvidiaFault[] {
  const action = text(gpu, 'gpu_recovery_action')
  if (action === null) return []
  return [{ kind: recoveryKind(action), sign: 'gpu_recovery_action', message: `the driver asks for a recovery action: ${action}` }]
}

/** The kind of a recovery action, in the words of nvidia-smi or of the kernel line. A word that is new to us counts as a reset. */
export function recoveryKind(action: string): FaultKind {
  if (/drain/i.test(action)) return 'drain'
  return /reboot/i.test(action) ? 'reboot' : 'reset'
}

function flags(gpu: Node): readonly NvidiaFault[] {
  return FLAGS.filter(([sign]) => isYes(gpu, sign)).map(([sign, kind, message]) => ({ kind, sign, message }))
}

/** Repair flags of driver 580 and later may hold an error instead of Yes or No: "GPU requires reset". */
function repairs(gpu: Node): readonly NvidiaFault[] {
  return ['ecc_errors/channel_repair_pending', 'ecc_errors/tpc_repair_pending'].flatMap((sign) => {
    const error = errorText(gpu, sign)
    return error === null || !/requires reset/i.test(error)
      ? []
      : [{ kind: 'reset', sign, message: 'the driver says that the card needs a reset' }]
  })
}

function memoryErrors(gpu: Node): readonly NvidiaFault[] {
  const sign = 'ecc_errors/volatile'
  const count = uncorrectableEccErrors(child(child(gpu, 'ecc_errors'), 'volatile')) ?? 0
  return count === 0 ? [] : [{ kind: 'reset', sign, message: `${count} uncorrectable memory error(s) since the driver was loaded` }]
}

function fabric(gpu: Node): readonly NvidiaFault[] {
  const healthy: readonly (readonly [path: string, healthy: RegExp])[] = [
    ['fabric/state', /^completed$/i],
    ['fabric/status', /^success$/i],
    ['fabric/health/summary', /^healthy$/i],
    ['fabric/health/bandwidth', /^full$/i],
    ['fabric/health/route_unhealthy', /^false$/i],
  ]
  return healthy.flatMap(([sign, good]) => {
    const value = text(gpu, sign)
    if (value === null || good.test(value)) return []
    return [{ kind: 'fabric', sign, message: `the NVLink fabric is not healthy (${sign.split('/').at(-1)}: ${value})` }]
  })
}

function slowdowns(gpu: Node): readonly NvidiaFault[] {
  const found = SLOWDOWNS.flatMap(([field, message]) => {
    const signs = [`clocks_event_reasons/clocks_event_reason_${field}`, `clocks_throttle_reasons/clocks_throttle_reason_${field}`]
    const sign = signs.find((path) => printed(gpu, path)?.toLowerCase() === 'active')
    return sign === undefined ? [] : [{ kind: 'slow' as const, sign, message }]
  })
  // The general reason is active whenever one of the other two is.
  return found.length > 1 ? found.filter(({ sign }) => !sign.endsWith('_hw_slowdown')) : found
}
