// What a module of rows is given and gives.
import type { Stack } from '../harness/stack.ts'
import type { Measured } from './table.ts'

export interface Bench {
  readonly stack: Stack
  readonly image: string
  readonly planeHost: string
  /** A number of repetitions, made smaller by `--quick`. */
  readonly times: (full: number) => number
}

export interface RowGroup {
  readonly name: string
  readonly title: string
  /** Rows that need containers are left out without Docker. */
  readonly needsDocker?: boolean
  readonly measure: (bench: Bench) => Promise<readonly Measured[]>
}
