// The randomness and the hash that core's decisions take as inputs.
import { createHash, randomInt } from 'node:crypto'
import type { ModelTools } from '@runyard/core'

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789'

export const MODEL_TOOLS: ModelTools = {
  randomText: (length) => Array.from({ length }, () => ALPHABET[randomInt(ALPHABET.length)]).join(''),
  sha256: (text) => createHash('sha256').update(text).digest('hex'),
}
