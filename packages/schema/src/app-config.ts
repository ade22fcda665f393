// Settings of deployed apps (ADR 63).
import { z } from 'zod'
import { keepS, text, YEAR_S } from './setting-kinds.ts'

const MIB = 1024 * 1024
const most = (count: number, help: string) => z.coerce.number().int().min(1).default(count).describe(help)

export const AppsConfig = z.object({
  keepBuilds: most(10, 'newest builds of an app that are kept; those that are active in an environment always are'),
  artifactBytes: most(1500 * MIB, 'largest artifact of a build, as it is uploaded'),
  unpackedBytes: most(10 * 1024 * MIB, 'what an artifact may unpack to'),
  files: most(250_000, 'files and directories in an artifact'),
  uploadS: z.coerce.number().int().min(1).max(YEAR_S).default(3600).describe('how long an upload URL is valid'),
})
export type AppsConfig = z.infer<typeof AppsConfig>

/** Of SDK 2 (ADR 72). */
export const TasksConfig = z.object({
  enabled: z
    .union([z.boolean(), z.stringbool()], { error: 'allowed is true or false' })
    .default(true)
    .describe('whether pods of SDK 2’s @app.task are started'),
  host: text()
    .optional()
    .describe(
      'host[:port] at which clients reach this gateway by https (default: the Host of a request by https, else tls.name and tls.port, else the Host)',
    ),
  maxAgeS: keepS().default(86_400).describe('how long a task may live'),
})
