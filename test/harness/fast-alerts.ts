// A real Prometheus with our rules, which run faster than in the files, at the pace that their metrics allow; and what a test waits for.
import { alertGroups, createPace, recordingGroups, toRuleFile } from '@runyard/monitoring'
import { startPrometheus, type FiringAlert, type Prometheus } from './prometheus.ts'
import { waitFor } from './wait.ts'

/** The scaler reports every ten seconds, and starts that fail are tried again after 10 s and 30 s. Everything else may be sixty times as fast. */
const PACES: Readonly<Record<string, number>> = { RunyardScalerSilent: 1 / 3, RunyardWorkersCrashLoop: 1 / 10 }
const FAST = 1 / 60

export const ALERT_PATIENCE = { timeoutMs: 120_000, intervalMs: 250 }

type Labels = Readonly<Record<string, string>>

export interface FastAlerts extends Prometheus {
  /** Those of its name that fire and have these labels. */
  firing(alert: string, labels?: Labels): Promise<readonly FiringAlert[]>
  /** Waits for it. */
  fires(alert: string, labels?: Labels): Promise<FiringAlert>
  /** Waits until none of the names fires. */
  clear(alerts: readonly string[], labels?: Labels): Promise<void>
}

/** `targets`: `host:port` of gateways. */
export async function startFastAlerts(targets: readonly string[]): Promise<FastAlerts> {
  const rules = [toRuleFile(recordingGroups(createPace(1 / 10))), fastRules()]
  const prometheus = await startPrometheus({ targets, scrapeEvery: '1s', rules })
  const firing: FastAlerts['firing'] = async (alert, labels = {}) =>
    (await prometheus.alerts()).filter(
      (each) =>
        each.labels['alertname'] === alert &&
        each.state === 'firing' &&
        Object.entries(labels).every(([name, value]) => each.labels[name] === value),
    )
  return {
    ...prometheus,
    firing,
    fires: (alert, labels) => waitFor(`${alert} to fire`, async () => (await firing(alert, labels))[0], ALERT_PATIENCE),
    async clear(alerts, labels) {
      for (const alert of alerts) await waitFor(`${alert} to clear`, async () => (await firing(alert, labels)).length === 0, ALERT_PATIENCE)
    },
  }
}

function fastRules(): string {
  const rulesAt = (factor: number) => alertGroups(createPace(factor)).flatMap(({ rules }) => rules)
  const rules = rulesAt(FAST).map((rule) => {
    const name = 'alert' in rule ? rule.alert : ''
    return rulesAt(PACES[name] ?? FAST).find((other) => 'alert' in other && other.alert === name) ?? rule
  })
  return toRuleFile([{ name: 'fast', rules }])
}
