// The billing ledger: open intervals, closed rows by their end, and totals that only grow. A worker has at most one open interval;
// the next begins where it ends, so the rows of a worker never overlap and sum to its wall time (docs/operations.md, Billing).
import type { BillingState, LedgerRow } from '@runyard/schema'
import type { StoreContext } from './context.ts'
import { LEDGER_CLOSE, LEDGER_ROWS, LEDGER_TOTALS, LEDGER_TRANSITION } from './scripts/records.ts'
import type { LedgerStore } from './types.ts'

type Total = Awaited<ReturnType<LedgerStore['totals']>>[number]

export function createLedgerStore({ client, keys, run }: StoreContext): LedgerStore {
  const { open, rows, totals } = keys.ledger
  const atLeast = createHighWater()
  return {
    async transition({ at, ...row }) {
      await run(LEDGER_TRANSITION, [open, rows, totals], [row.workerId, JSON.stringify(row), Math.round(at)])
    },

    async close(workerId, at) {
      await run(LEDGER_CLOSE, [open, rows, totals], [workerId, Math.round(at)])
    },

    async rows({ from, to }) {
      const [openRows, closedRows] = (await run(LEDGER_ROWS, [open, rows], [from, to])) as readonly [string[], string[]]
      return [...closedRows, ...openRows].map((text) => JSON.parse(text) as LedgerRow).filter((row) => row.from < to)
    },

    async currentState(workerId) {
      const text = await client.hget(open, workerId)
      return text === null ? undefined : (JSON.parse(text) as LedgerRow).state
    },

    async totals(now) {
      const [openRows, flat] = (await run(LEDGER_TOTALS, [open, totals], [])) as readonly [string[], string[]]
      const milliseconds = new Map<string, number>()
      const add = (name: string, ms: number) => milliseconds.set(name, (milliseconds.get(name) ?? 0) + ms)
      for (let at = 0; at + 1 < flat.length; at += 2) add(flat[at] ?? '', Number(flat[at + 1]))
      for (const text of openRows) {
        const row = JSON.parse(text) as LedgerRow
        add(JSON.stringify([row.endpointId, row.gpuType, row.state]), Math.max(0, now - row.from))
      }
      return [...milliseconds].map(([name, ms]) => toTotal(name, atLeast(name, ms)))
    },
  }
}

/**
 * An open interval counted up to `now` may be closed at a time shortly before (the container's own end): what was told once is not
 * taken back. Held per process, as the counters that read it are.
 */
function createHighWater(): (name: string, value: number) => number {
  const highest = new Map<string, number>()
  return (name, value) => {
    const top = Math.max(value, highest.get(name) ?? 0)
    highest.set(name, top)
    return top
  }
}

function toTotal(name: string, ms: number): Total {
  const [endpointId, gpuType, state] = JSON.parse(name) as [string, string | null, BillingState]
  return { endpointId, gpuType, state, seconds: ms / 1000 }
}
