// The scaler's own numbers, from the one configuration.
import { existsSync } from 'node:fs'
import { DEFAULT_PLAN_POLICY, type PlanPolicy } from '@runyard/core'
import type { Config } from '@runyard/schema'

/** What workers are told; without a slash at the end, since clients append to it. */
export function workerPlaneUrl({ workerPlane }: Config): string {
  return (workerPlane.url ?? `http://${workerPlane.host}:${workerPlane.port}`).replace(/\/+$/, '')
}

/** Where the scaler itself may find the worker plane: where it listens on this machine, and what workers are told. */
export function planeProbeUrls(config: Config): readonly string[] {
  const { host, port } = config.workerPlane
  return [...new Set([`http://${toConnect(host)}:${port}`, workerPlaneUrl(config)])]
}

/** A wildcard address is one to listen on, not to connect to; an IPv6 address stands in brackets in a URL. */
function toConnect(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1'
  return host.includes(':') ? `[${host}]` : host
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
