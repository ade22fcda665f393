// Writes Prometheus' rules into docker/prometheus and Grafana's boards into docker/grafana from their source in packages/monitoring; with --check, fails if a
// file on disk is out of date.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { buildBoard } from '../packages/monitoring/src/boards/build-board.ts'
import { alertGroups, BOARDS, createPace, recordingGroups, toRuleFile } from '../packages/monitoring/src/index.ts'

const ROOT = join(import.meta.dirname, '..')
const pace = createPace()
const FILES: Readonly<Record<string, string>> = {
  'docker/prometheus/runyard-recordings.yaml': toRuleFile(recordingGroups(pace)),
  'docker/prometheus/runyard-alerts.yaml': toRuleFile(alertGroups(pace)),
  ...Object.fromEntries(
    Object.entries(BOARDS).map(([name, board]) => [
      `docker/grafana/runyard-${name}.json`,
      `${JSON.stringify(buildBoard(board), null, 2)}\n`,
    ]),
  ),
}

for (const [path, text] of Object.entries(FILES)) {
  const file = join(ROOT, path)
  if (!process.argv.includes('--check')) {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  } else if (readFileSync(file, 'utf8') !== text) {
    process.stderr.write(`${path} is out of date: run node scripts/write-monitoring.ts\n`)
    process.exitCode = 1
  }
}
