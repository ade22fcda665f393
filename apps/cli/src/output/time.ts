// How times are shown: by default as an age on a terminal, which people read, and as UTC in a pipe, which programs compare.
import { formatAge } from '@runyard/core/durations'
import { UsageError } from '../command.ts'
import type { TimeForm } from './terminal.ts'

const UNITS_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** `3 min ago`, `2026-11-30 08:46:39Z`, or `2026-11-30 09:46:39+01:00`. `at`: epoch ms. */
export function formatTime(at: number, form: TimeForm, now = Date.now()): string {
  if (form === 'relative') return formatAge(now - at)
  if (form === 'utc') return `${text(at)}Z`
  const offset = -new Date(at).getTimezoneOffset()
  const zone = `${offset < 0 ? '-' : '+'}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`
  return `${text(at + offset * UNITS_MS.m)}${zone}`
}

/** A sentence of the stack, with its moments as `2026-11-30 08:46:39Z`, like those of the tables. */
export function withTimes(sentence: string): string {
  return sentence.replaceAll(/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/gu, (moment) => formatTime(Date.parse(moment), 'utc'))
}

function text(at: number): string {
  return new Date(at).toISOString().slice(0, 19).replace('T', ' ')
}

function two(number: number): string {
  return `${number}`.padStart(2, '0')
}

/** `90m`, `24h`, `7d`, or a date, not before 1970. Epoch ms. @throws UsageError */
export function parseSince(given: string, now: number, option = 'since'): number {
  const [, amount, unit] = /^(\d+)([smhd])$/.exec(given) ?? []
  const at = amount === undefined ? Date.parse(given) : now - Number(amount) * UNITS_MS[unit as keyof typeof UNITS_MS]
  if (at >= 0 && (at < now || amount !== undefined)) return at
  throw new UsageError(`--${option} takes a span such as 90m, 24h or 7d, or a past date such as 2026-11-01; "${given}" is neither.`)
}
