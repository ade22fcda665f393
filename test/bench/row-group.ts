// The input and output of a module of rows.
import type { Stack } from '../harness/stack.ts'
import type { Measured } from './table.ts'

export interface Bench {
  readonly stack: Stack
  readonly image: string
  readonly planeHost: string
  /** A number of repetitions, reduced by `--quick`. */
  readonly times: (full: number) => number
}

export interface RowGroup {
  readonly name: string
  readonly title: string
  /** Rows that need containers are skipped without Docker. */
  readonly needsDocker?: boolean
  readonly measure: (bench: Bench) => Promise<readonly Measured[]>
}
