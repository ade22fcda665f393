// REST v2's shapes of registry credentials (management §3.5). Secrets go in and never come out.
import { z } from 'zod'
import { Pagination } from './shared.ts'

export const CredentialsBody = z
  .strictObject({ username: z.string().min(1), password: z.string().min(1) })
  .meta({ id: 'CredentialsBody', description: 'A user of an image registry and its password or token.' })

export const CreateRegistryBody = z.strictObject({ ...CredentialsBody.shape, name: z.string().min(1) }).meta({ id: 'CreateRegistryBody' })

export const RegistryView = z
  .object({ id: z.string(), name: z.string() })
  .meta({ id: 'Registry', description: 'Registry credentials, without their secrets.' })
export type RegistryView = z.infer<typeof RegistryView>

export const RegistryListView = z.object({ registries: z.array(RegistryView), pagination: Pagination }).meta({ id: 'RegistryList' })
export type RegistryListView = z.infer<typeof RegistryListView>
