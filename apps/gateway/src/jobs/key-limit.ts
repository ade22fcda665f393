// The limit on jobs of the API key of a request (ADR 60): the key's own, else the default of the configuration. Undefined: its jobs are not counted.
import type { Config } from '@runyard/schema'
import type { CountedKey } from '@runyard/store'
import type { FastifyRequest } from 'fastify'
import { apiKeyOf } from '../http/authenticate.ts'

export function countedKeyOf(request: FastifyRequest, { limits }: Pick<Config, 'limits'>): CountedKey | undefined {
  const { id: keyId, limits: own } = apiKeyOf(request)
  const mostJobs = own?.queuedJobs === undefined ? limits.queuedJobsPerKey : own.queuedJobs
  return mostJobs === null || mostJobs === 0 ? undefined : { keyId, mostJobs }
}
