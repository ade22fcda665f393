// The reports of `nvidia-smi -q -x -l N`, one after another on one pipe. Bounded: a report that never ends becomes one failure.
import { parseNvidiaSmi } from './parse.ts'
import type { NvidiaSmiResult } from './report.ts'

const END = '</nvidia_smi_log>'
const DEFAULT_MAX_CHARACTERS = 16 * 2 ** 20

export type ReportStream = ReturnType<typeof createReportStream>

/** @param maxCharacters What one report may have (the longest one recorded, of 8 cards, has 350,000). */
export function createReportStream(maxCharacters: number = DEFAULT_MAX_CHARACTERS) {
  let rest = ''
  return {
    /** Takes what the pipe delivered; returns the reports that are complete with it. */
    push: (chunk: string): readonly NvidiaSmiResult[] => {
      rest += chunk
      const results: NvidiaSmiResult[] = []
      for (let end = rest.indexOf(END); end !== -1; end = rest.indexOf(END)) {
        results.push(parseNvidiaSmi(rest.slice(0, end + END.length)))
        rest = rest.slice(end + END.length)
      }
      if (rest.length <= maxCharacters) return results
      rest = ''
      return [...results, { kind: 'failure', message: `a report of nvidia-smi is longer than ${maxCharacters} characters` }]
    },
    /** The pipe has ended: what is left over is a failure, with what nvidia-smi said last; undefined where nothing is left. */
    end: (): NvidiaSmiResult | undefined => {
      const left = rest.trim()
      rest = ''
      return left === '' ? undefined : parseNvidiaSmi(left)
    },
  }
}
