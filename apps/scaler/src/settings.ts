// The scaler's settings, derived from the configuration.
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DEFAULT_PLAN_POLICY, planeUrlOf, type PlanPolicy } from '@runyard/core'
import type { Config } from '@runyard/schema'
import type { ActDeps } from './act-deps.ts'

const LOOPBACK = '127.0.0.1'

/** URLs at which the scaler may reach the worker plane: its address on this machine, and the operator's URL. */
export function planeProbeUrls({ workerPlane }: Config): readonly string[] {
  return [...new Set([planeUrlOf({ ...workerPlane, url: undefined }, LOOPBACK), planeUrlOf(workerPlane, LOOPBACK)])]
}

type Trust = Pick<ActDeps, 'caBundle' | 'authority'>

/** The CA bundle for workers: the configured one, or the file in SSL_CERT_FILE if it exists. The authority is where a gateway on this machine made it. */
export function trustOf(config: Config, { env, dataDir }: { readonly env: NodeJS.ProcessEnv; readonly dataDir: string }): Trust {
  const path = config.caBundle ?? env['SSL_CERT_FILE']
  return {
    caBundle: path !== undefined && path !== '' && existsSync(path) ? path : undefined,
    authority: () => readFile(join(dataDir, 'tls', 'ca.pem'), 'utf8').catch(() => undefined),
  }
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
