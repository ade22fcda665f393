// Decides which signs in a card's report forbid giving it work. Errs towards "no fault": a field that is absent says nothing.
// Old correctable errors and past retirements are history; only what makes the next job fail counts.
import { child, integer, isYes, text } from './fields.ts'
import type { Node } from './fields.ts'

const DEAD_TEXT = /gpu is lost|fallen off the bus|requires reset|unknown error|^\[?ERR!\]?$/i
/** Fields that any living card answers; a complaint in one of them is about the card itself. */
const VITAL_FIELDS = ['product_name', 'uuid', 'persistence_mode', 'performance_state'] as const

/** Sum of the uncorrectable counters, whose names changed with Ampere and again with Hopper; null where none is kept. */
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

export function findFaults(gpu: Node): readonly string[] {
  const faults: string[] = []
  const dead = deadText(gpu)
  if (dead !== undefined) faults.push(`the card does not answer the driver ("${dead.trim()}")`)
  const recovery = text(gpu, 'gpu_recovery_action')
  if (recovery !== null) faults.push(`the driver asks for a recovery action: ${recovery}`)
  const remapped = child(gpu, 'remapped_rows')
  if (isYes(remapped, 'remapped_row_failure')) faults.push('a faulty memory row could not be remapped; the card needs replacement')
  if (isYes(remapped, 'remapped_row_pending')) faults.push('a memory row waits to be remapped; the card needs a reset')
  const retired = child(gpu, 'retired_pages')
  if (isYes(retired, 'pending_retirement') || isYes(retired, 'pending_blacklist')) {
    faults.push('a memory page waits to be retired; the card needs a reset')
  }
  const ecc = child(gpu, 'ecc_errors')
  if (isYes(child(ecc, 'aggregate'), 'sram_threshold_exceeded')) faults.push('the threshold of uncorrectable SRAM errors is exceeded')
  const uncorrectable = uncorrectableEccErrors(child(ecc, 'volatile'))
  if (uncorrectable !== null && uncorrectable > 0) {
    faults.push(`${uncorrectable} uncorrectable memory ${uncorrectable === 1 ? 'error' : 'errors'} since the driver was loaded`)
  }
  return faults
}
