// Ids that the management model gives out: short, lower-case letters and digits, fit to be a DNS label (management §1.2).
import { randomInt } from 'node:crypto'
import { EndpointId } from '@runyard/schema'

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789'

/** 14 characters, never a reserved word: those are parsed away by the schema. */
export function newEndpointId(): EndpointId {
  return EndpointId.parse(randomText(14))
}

export function newTemplateId(): string {
  return randomText(10)
}

/** Of an endpoint that nobody named (management §2.1). */
export function newEndpointName(): string {
  return `endpoint-${randomText(8)}`
}

/** Runpod's look like cuids; anything opaque will do. */
export function newRegistryId(): string {
  return randomText(14)
}

function randomText(length: number): string {
  return Array.from({ length }, () => ALPHABET[randomInt(ALPHABET.length)]).join('')
}
