// `pnpm check:changesets`: fails when a release could not use a file of `.changeset`.
import { join } from 'node:path'
import { findWrongChangesets } from './changesets.ts'

const mistakes = findWrongChangesets(join(import.meta.dirname, '..'))
for (const mistake of mistakes) process.stderr.write(`${mistake}\n`)
process.exitCode = mistakes.length === 0 ? 0 : 1
