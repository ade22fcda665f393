// Writes Prometheus' rules into docker/prometheus from their source in packages/monitoring; with --check, fails if a file on disk is out of date.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { alertGroups, createPace, recordingGroups, toRuleFile } from '../packages/monitoring/src/index.ts'

const ROOT = join(import.meta.dirname, '..')
const pace = createPace()
const FILES: Readonly<Record<string, string>> = {
  'docker/prometheus/runyard-recordings.yaml': toRuleFile(recordingGroups(pace)),
  'docker/prometheus/runyard-alerts.yaml': toRuleFile(alertGroups(pace)),
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
