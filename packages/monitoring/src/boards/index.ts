import type { BoardSpec } from './panel.ts'
import { ENDPOINT } from './endpoint.ts'
import { INSIDE } from './inside.ts'
import { YARD } from './yard.ts'

/** By the name of their file. */
export const BOARDS: Readonly<Record<string, BoardSpec>> = { yard: YARD, endpoint: ENDPOINT, inside: INSIDE }

export { queriesOf, type BoardSpec, type PanelSpec } from './panel.ts'
