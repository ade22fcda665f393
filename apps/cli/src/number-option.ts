// Options that are numbers. A wrong one is refused with the range.
import type { Range } from '@runyard/schema'
import { textOption, UsageError, type CommandContext } from './command.ts'

export interface NumberRange extends Range {
  readonly isWhole: boolean
  /** What 0 stands for, where it is below the range. */
  readonly zero?: string
}

export const whole = ({ min, max }: Range): NumberRange => ({ min, max, isWhole: true })

/** @throws UsageError */
export function readNumber(context: Pick<CommandContext, 'options'>, name: string, range: NumberRange): number | undefined {
  const text = textOption(context, name)
  if (text === undefined || isIn(range, text)) return text === undefined ? undefined : Number(text)
  throw new UsageError(`--${name} takes ${describeRange(range)}; "${text}" is none.`)
}

function isIn({ min, max, isWhole, zero }: NumberRange, text: string): boolean {
  const value = Number(text)
  if (!/^\d+(\.\d+)?$/u.test(text) || (isWhole && !Number.isInteger(value))) return false
  return (value >= min && value <= max) || (value === 0 && zero !== undefined)
}

function describeRange({ min, max, isWhole, zero }: NumberRange): string {
  return `a ${isWhole ? 'whole ' : ''}number from ${min} to ${max}${zero === undefined ? '' : `, or 0 for ${zero}`}`
}
