// The scaler's settings, derived from the configuration.
import { existsSync } from 'node:fs'
import { DEFAULT_PLAN_POLICY, planeUrlOf, type PlanPolicy } from '@runyard/core'
import type { Config } from '@runyard/schema'

const LOOPBACK = '127.0.0.1'

/** URLs at which the scaler may reach the worker plane: its address on this machine, and the operator's URL. */
export function planeProbeUrls({ workerPlane }: Config): readonly string[] {
  return [...new Set([planeUrlOf({ ...workerPlane, url: undefined }, LOOPBACK), planeUrlOf(workerPlane, LOOPBACK)])]
}

/** The CA bundle for workers: the configured one, or the file in SSL_CERT_FILE if it exists. */
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
    hostGraceMs: config.hostGraceS * 1000,
    rollsBack: config.releases.rollBack,
    replacePercent: config.releases.replacePercent,
    keepFreeBytes: config.images.keepFreeBytes,
    requestMs: config.loadBalancing.requestS * 1000,
    initTimeoutMs: config.initTimeoutS * 1000,
  }
}
