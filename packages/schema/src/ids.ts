// Branded identifiers. Endpoint and worker ids are DNS labels (client-api §2, flash-api §2); job ids follow client-api §4.2.
import { z } from 'zod'

/** Path segments under `/v2` with another meaning, which can therefore never be an endpoint's id (management §1.2, sdk2-api §2). */
export const RESERVED_ENDPOINT_IDS = [
  'account',
  'billing',
  'catalog',
  'clusters',
  'flash',
  'global-volumes',
  'network-volumes',
  'pods',
  'registries',
  'serverless',
  'templates',
] as const

export const EndpointId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,61}[a-z0-9]$/, 'an endpoint id is a DNS label')
  .refine((id) => !(RESERVED_ENDPOINT_IDS as readonly string[]).includes(id), 'this word is reserved')
  .brand<'EndpointId'>()
export type EndpointId = z.infer<typeof EndpointId>

export const WorkerId = z
  .string()
  .regex(/^[a-z0-9]{8,32}$/, 'a worker id is lower-case letters and digits')
  .brand<'WorkerId'>()
export type WorkerId = z.infer<typeof WorkerId>

/** A valid id contains a digit, unlike the names of BullMQ's own keys next to its jobs. */
export const JobId = z
  .string()
  .regex(/^(?=.*\d)[A-Za-z0-9_-]{1,128}$/, 'a job id is letters, digits, "_" and "-", and has a digit')
  .brand<'JobId'>()
export type JobId = z.infer<typeof JobId>
