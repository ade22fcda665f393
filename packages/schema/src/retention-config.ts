// Settings of what is kept of ended jobs, and for how long: their results, and what is remembered of them (ADR 79).
import { z } from 'zod'
import { keepS } from './setting-kinds.ts'

export const RetentionConfig = z.object({
  asyncS: keepS().default(1800).describe('how long the result of a /run job is kept'),
  syncS: keepS().default(60).describe('how long the result of a /runsync job is kept'),
  batchS: keepS().default(86_400).describe('how long a batch and its results are kept after the longest TTL of its requests'),
  endpointBytes: z.coerce
    .number()
    .int()
    .min(0)
    .default(1024 * 1024 * 1024)
    .describe('maximum size in Redis of one endpoint’s results with their unread chunks; beyond it the oldest are removed'),
  totalBytes: z.coerce
    .number()
    .int()
    .min(0)
    .default(4 * 1024 * 1024 * 1024)
    .describe('the same for all endpoints together; the endpoints with the most are cut first'),
})

export const HistoryConfig = z.object({
  bytes: z.coerce
    .number()
    .int()
    .min(0)
    .default(64 * 1024 * 1024)
    .describe('size in Redis of what is remembered of ended jobs, workers and cards; beyond it the oldest goes; 0: nothing is remembered'),
  days: z.coerce.number().int().min(1).max(365).default(7).describe('how long ended jobs and workers are remembered'),
})
