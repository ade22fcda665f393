// Our REST shapes of secrets; Runpod has them in GraphQL only (sdk2-api §3.7). Values go in and never come out.
import { z } from 'zod'
import { DateTime, Pagination } from './shared.ts'

export const SecretParams = z.object({ name: z.string() })

export const SecretBody = z
  .strictObject({ value: z.string().min(1), description: z.string().optional() })
  .meta({ id: 'SecretBody', description: 'The value of a secret. No answer contains it.' })

export const SecretView = z
  .object({ id: z.string(), name: z.string(), description: z.string(), createdAt: DateTime, updatedAt: DateTime })
  .meta({ id: 'Secret', description: 'A secret, without its value. `updatedAt`: when the value was last set.' })
export type SecretView = z.infer<typeof SecretView>

export const SecretListView = z.object({ secrets: z.array(SecretView), pagination: Pagination }).meta({ id: 'SecretList' })
export type SecretListView = z.infer<typeof SecretListView>
