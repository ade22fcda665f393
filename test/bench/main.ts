// `pnpm bench [ROW…] [--quick] [--save]`: measures the ratios of docs/benchmarks.md, each next to its baseline from the same run. `--quick` runs a
// tenth of the repetitions, for a first impression; results are written only with `--save`.
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { runCommand } from '../harness/child.ts'
import { firstMissing } from '../harness/machine.ts'
import { WORKER_IMAGE } from '../harness/worker-image.ts'
import { startStack } from '../harness/stack.ts'
import { measurePage } from './page.ts'
import { measureAll, selectRows } from './rows.ts'
import { measureScale } from './scale.ts'
import { renderMachine, renderTable, saveResults, toRow } from './table.ts'

const { values, positionals } = parseArgs({
  options: {
    save: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    hour: { type: 'boolean', default: false },
  },
  allowPositionals: true,
})
const say = (line: string): void => {
  process.stderr.write(`▸ ${line}\n`)
}
const times = (full: number): number => (values.quick ? Math.ceil(full / 10) : full)
/** They have worlds of their own. */
const [apart = '', ...parts] = positionals
if (apart === 'scale' || apart === 'page') {
  const rows =
    apart === 'page'
      ? await measurePage({ parts, times, isHour: values.hour, say })
      : (await measureScale(times, say)).map((measured) => toRow(measured))
  process.stdout.write(`\n${renderMachine('page and gateway on the same machine')}\n\n${renderTable(rows)}\n`)
  process.exit(0)
}
const groups = selectRows(positionals)

const withoutDocker = await firstMissing(['docker', 'worker-image'])
const host = withoutDocker === undefined ? 'docker' : 'process'
say(withoutDocker === undefined ? 'workers are containers' : `workers are processes, since ${withoutDocker}`)

const stack = await startStack({ host, settings: { RUNYARD_LOG_LEVEL: 'info' } })
const planeHost = new URL(stack.planeUrl).hostname
const rows = await measureAll(groups, { stack, image: WORKER_IMAGE, planeHost, times }, say)
await stack.stop()

const redis = (await runCommand('redis-server', ['--version'])).split(' ').slice(0, 3).join(' ')
const text = `${renderMachine(`${redis}, workers on the ${host} host`)}\n\n${renderTable(rows)}`
process.stdout.write(`\n${text}\n`)
if (values.save) {
  const file = join(import.meta.dirname, '..', '..', 'docs', 'benchmarks.md')
  await saveResults(file, text)
  say(`saved in ${file}`)
}
