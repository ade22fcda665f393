// The latest report of the leading scaler (ADR 73). It ends by itself a day after the last scaler.
import type { ScalerReport } from '@runyard/schema'
import type { StoreContext } from '../context.ts'
import { readScalerReport } from '../data/records.ts'
import { defineScript } from '../scripts/define-script.ts'
import { nothing } from '../scripts/replies.ts'

export type ScalerReportStore = ReturnType<typeof createScalerReportStore>

const putScript = defineScript({
  lua: new URL('./put-report.lua', import.meta.url),
  keys: ['report'],
  args: { text: 'text', keepMs: 'number' },
  reply: nothing,
})

const KEEP_MS = 24 * 3600 * 1000

export function createScalerReportStore({ client, keys, run }: StoreContext) {
  const report = keys.scalerReport
  return {
    put: (latest: ScalerReport): Promise<void> => run(putScript, { report, text: JSON.stringify(latest), keepMs: KEEP_MS }),
    async get(): Promise<ScalerReport | undefined> {
      const text = await client.get(report)
      return text === null ? undefined : readScalerReport(text)
    },
  }
}
