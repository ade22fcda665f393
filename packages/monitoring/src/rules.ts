// What Prometheus' rule files consist of, and their text.
import { stringify } from 'yaml'

export interface RecordingRule {
  readonly record: string
  readonly expr: string
}

export interface AlertRule {
  readonly alert: string
  readonly expr: string
  readonly for?: string
  readonly labels: { readonly severity: 'page' | 'ticket' }
  readonly annotations: { readonly summary: string; readonly runbook_url: string }
}

export interface RuleGroup {
  readonly name: string
  readonly interval?: string
  readonly rules: readonly (RecordingRule | AlertRule)[]
}

const HEAD = '# Generated from packages/monitoring: node scripts/write-monitoring.ts\n'

export function toRuleFile(groups: readonly RuleGroup[]): string {
  return HEAD + stringify({ groups }, { lineWidth: 120 })
}
