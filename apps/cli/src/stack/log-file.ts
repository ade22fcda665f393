// Writes the output of a process to a file that is rotated when it is large. Output that cannot be written (a full disk) is dropped and reported
// once; both processes continue, and so does the file when there is space again.
import { appendFileSync, renameSync, statSync } from 'node:fs'
import { systemCode } from '@runyard/schema'

const LARGEST_BYTES = 20 * 1024 * 1024

export interface LogFileOptions {
  readonly largestBytes?: number
  readonly onTrouble: (sentence: string) => void
}

/** Appends to the file; the previous file is kept as `.1`. Never throws. */
export function createLogFile(path: string, { largestBytes = LARGEST_BYTES, onTrouble }: LogFileOptions): (data: Buffer) => void {
  let isRefused = false
  return (data) => {
    try {
      appendFileSync(path, data, { mode: 0o600 })
      if (statSync(path).size > largestBytes) renameSync(path, `${path}.1`)
      isRefused = false
    } catch (error) {
      if (!isRefused) onTrouble(`${path} cannot be written (${systemCode(error)}); its lines are lost until it can be`)
      isRefused = true
    }
  }
}
