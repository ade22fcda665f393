// The table of kinds of resources that an owner has beside endpoints. The store reads and writes every row with the same scripts under the same
// rules, so a new kind is one row here and its Zod schema.
import { ACCOUNTS } from './accounts.ts'
import { APPS, BUILDS, ENVIRONMENTS } from './apps.ts'
import { REGISTRIES } from './registries.ts'
import { SECRETS } from './secrets.ts'
import { TEMPLATES } from './templates.ts'
import { VOLUMES } from './volumes.ts'

export const RESOURCE_KINDS = {
  templates: TEMPLATES,
  registries: REGISTRIES,
  apps: APPS,
  environments: ENVIRONMENTS,
  builds: BUILDS,
  volumes: VOLUMES,
  secrets: SECRETS,
  accounts: ACCOUNTS,
} as const
