// Identifies the leader's process. A killed leader leaves its lease behind; a scaler that shares its process table sees that it is gone and need not
// wait until the lease expires. Failure direction: wait, if the table is another one or cannot be read.
import { readFileSync, readlinkSync } from 'node:fs'
import type { LeaderFacts } from '@runyard/store'
import { lifeOf } from '@runyard/kit'

export function ownWhereabouts(): Pick<LeaderFacts, 'processTable' | 'life'> {
  return { processTable: processTable(), life: lifeOf(process.pid) ?? '' }
}

export function isSeenGone({ pid, processTable: table, life }: LeaderFacts): boolean {
  return table !== '' && table === processTable() && life !== '' && lifeOf(pid) !== life
}

/** The machine since its last start, and the namespace in it; '' where there is no such thing (not Linux). */
function processTable(): string {
  try {
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    return ''
  }
}
