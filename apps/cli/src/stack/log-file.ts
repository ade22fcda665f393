// Where the output of a part goes: a file that is begun anew when it has grown large. What cannot be written (a full disk) is lost and told
// once; the part and we go on, and the file with us when there is room again.
import { appendFileSync, renameSync, statSync } from 'node:fs'

const LARGEST_BYTES = 20 * 1024 * 1024

export interface LogFileOptions {
  readonly largestBytes?: number
  readonly onTrouble: (sentence: string) => void
}

/** Appends what it is given to the file; the part of it before the last beginning is kept beside it as `.1`. Never throws. */
export function createLogFile(path: string, { largestBytes = LARGEST_BYTES, onTrouble }: LogFileOptions): (data: Buffer) => void {
  let isRefused = false
  return (data) => {
    try {
      appendFileSync(path, data, { mode: 0o600 })
      if (statSync(path).size > largestBytes) renameSync(path, `${path}.1`)
      isRefused = false
    } catch (error) {
      if (!isRefused) onTrouble(`${path} cannot be written (${(error as NodeJS.ErrnoException).code}); its lines are lost until it can be`)
      isRefused = true
    }
  }
}
