// REST shapes of secrets, which are ours since Runpod has them in GraphQL only (sdk2-api §3.7), and of registry credentials, as in REST v2
// (management §3.5). Values go in and never come out.
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

export const CredentialsBody = z
  .strictObject({ username: z.string().min(1), password: z.string().min(1) })
  .meta({ id: 'CredentialsBody', description: 'A user of an image registry and its password or token.' })

export const CreateRegistryBody = z.strictObject({ ...CredentialsBody.shape, name: z.string().min(1) }).meta({ id: 'CreateRegistryBody' })

export const RegistryView = z
  .object({ id: z.string(), name: z.string() })
  .meta({ id: 'Registry', description: 'Registry credentials, without their secrets.' })
export type RegistryView = z.infer<typeof RegistryView>

export const NewRegistryView = z
  .object({ ...RegistryView.shape, username: z.string() })
  .meta({ id: 'NewRegistry', description: 'New registry credentials. Terraform needs the name of the user that it gave.' })
export type NewRegistryView = z.infer<typeof NewRegistryView>

export const RegistryListView = z.object({ registries: z.array(RegistryView), pagination: Pagination }).meta({ id: 'RegistryList' })
export type RegistryListView = z.infer<typeof RegistryListView>
