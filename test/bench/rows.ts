// All rows, ordered so that load does not affect latency rows; rows that leave a full queue behind come last.
import { failedRow, toRow, type Row } from './table.ts'
import type { Bench, RowGroup } from './row-group.ts'
import { runsync } from './rows/runsync.ts'
import { lb } from './rows/lb.ts'
import { celery } from './rows/celery.ts'
import { localServer } from './rows/local-server.ts'
import { cold } from './rows/cold.ts'
import { deploy } from './rows/deploy.ts'
import { kill } from './rows/kill.ts'
import { idle } from './rows/idle.ts'
import { polling } from './rows/polling.ts'
import { run } from './rows/run.ts'
import { processor } from './rows/processor.ts'
import { through } from './rows/through.ts'
import { backlog } from './rows/backlog.ts'
import { history } from './rows/history.ts'
import { hostile } from './rows/hostile.ts'
import { scrape } from './rows/scrape.ts'

export const ROW_GROUPS: readonly RowGroup[] = [
  runsync,
  localServer,
  lb,
  celery,
  cold,
  deploy,
  kill,
  idle,
  polling,
  run,
  processor,
  scrape,
  history,
  through,
  hostile,
  backlog,
]

/** The groups with these names; all if none is named. @throws on an unknown name */
export function selectRows(names: readonly string[]): readonly RowGroup[] {
  const known = ROW_GROUPS.map(({ name }) => name)
  const unknown = names.find((name) => !known.includes(name))
  if (unknown !== undefined) throw new Error(`there is no row "${unknown}"; there are ${known.join(', ')}`)
  return names.length === 0 ? ROW_GROUPS : ROW_GROUPS.filter(({ name }) => names.includes(name))
}

/** A failed measurement becomes a row that says so; the others continue. */
export async function measureAll(groups: readonly RowGroup[], bench: Bench, say: (line: string) => void): Promise<readonly Row[]> {
  const rows: Row[] = []
  for (const { name, title, needsDocker = false, measure } of groups) {
    if (needsDocker && bench.stack.host !== 'docker') continue
    say(title)
    try {
      rows.push(...(await measure(bench)).map((measured) => toRow(measured)))
    } catch (error) {
      rows.push(failedRow(name, error))
    }
  }
  return rows
}
