// The scaler's own numbers, from the one configuration.
import { existsSync } from 'node:fs'
import { DEFAULT_PLAN_POLICY, planeUrlOf, type PlanPolicy } from '@runyard/core'
import type { Config } from '@runyard/schema'

const LOOPBACK = '127.0.0.1'

/** Where the scaler itself may find the worker plane: where it listens on this machine, and what the operator says. */
export function planeProbeUrls({ workerPlane }: Config): readonly string[] {
  return [...new Set([planeUrlOf({ ...workerPlane, url: undefined }, LOOPBACK), planeUrlOf(workerPlane, LOOPBACK)])]
}

/** The CA bundle that workers get: as configured, else what SSL_CERT_FILE names, where there is such a file. */
export function caBundleOf(config: Config, env: Readonly<Record<string, string | undefined>>): string | undefined {
  const path = config.caBundle ?? env['SSL_CERT_FILE']
  return path !== undefined && path !== '' && existsSync(path) ? path : undefined
}

export function toPolicy(config: Config): PlanPolicy {
  const leaseMs = config.lease.durationS * 1000
  return {
    ...DEFAULT_PLAN_POLICY,
    leaseMs,
    keepBytes: config.retention.totalBytes,
    // A lease's time and two pings more: its jobs are taken back before the worker itself is given up.
    heartbeatLostMs: leaseMs + 2 * config.lease.pingIntervalS * 1000,
    initTimeoutMs: config.initTimeoutS * 1000,
  }
}
