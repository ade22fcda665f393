// The last requests of an endpoint, in this browser only.
import { modeOf, type ModeName } from './modes.ts'

export interface KeptInput {
  readonly mode: ModeName
  readonly text: string
}

const MOST = 10
const LONGEST = 16_384
const nameOf = (endpointId: string): string => `runyard.inputs.${endpointId}`

/** Newest first. */
export function readInputs(endpointId: string): readonly KeptInput[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(nameOf(endpointId)) ?? '[]')
    return Array.isArray(kept) ? kept.filter(isKept) : []
  } catch {
    return []
  }
}

function isKept(value: unknown): value is KeptInput {
  const { mode, text } = (value ?? {}) as Partial<KeptInput>
  return typeof text === 'string' && mode !== undefined && modeOf(mode).name === mode
}

/** A browser may refuse to keep anything. */
export function keepInput(endpointId: string, input: KeptInput): void {
  if (input.text.length > LONGEST) return
  const others = readInputs(endpointId).filter(({ text, mode }) => text !== input.text || mode !== input.mode)
  try {
    localStorage.setItem(nameOf(endpointId), JSON.stringify([input, ...others].slice(0, MOST)))
  } catch {
    // The next visit starts with the example.
  }
}
