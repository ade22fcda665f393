// Whether a text can be sent, before it is: JSON errors with their line, and what the gateway would refuse.
import { findJsonError } from '../../../ui/json-error.ts'
import type { ModeName } from './modes.ts'

export interface RequestFault {
  readonly message: string
  /** In the text; undefined: it is not about one place. */
  readonly position?: number
}

/** Undefined: it can be sent. */
export function checkRequest(text: string, mode: ModeName): RequestFault | undefined {
  const fault = findJsonError(text)
  if (fault !== undefined) return fault
  const value: unknown = JSON.parse(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { message: 'The request must be an object: {…}.' }
  if (mode === 'chat') {
    return Array.isArray((value as { messages?: unknown }).messages)
      ? undefined
      : { message: 'A chat needs "messages": a list of { "role", "content" }.' }
  }
  const { input } = value as { input?: unknown }
  return input === undefined || input === null ? { message: 'The request needs an "input", which the function gets.' } : undefined
}
