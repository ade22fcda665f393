// The fields of an endpoint in their groups, for one that is and for one that is to be made, and the calls that do the same.
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import type { EndpointBody } from '@runyard/schema/api'
import { API_URL } from '../../../api/client.ts'
import { registriesQuery, templatesQuery, volumesQuery } from '../../../api/queries.ts'
import { CopyBlock } from '../../../ui/copy.tsx'
import { FieldGroup } from '../../../ui/field.tsx'
import { coverBody, coverCommand, toCurl } from './endpoint-change.ts'
import { listOf, numberOf, type Choice, type ChoiceList, type FormField, type Values } from './form-field.ts'
import { MatchingCards } from './matching-cards.tsx'
import { SettingsField } from './settings-field.tsx'
import styles from './settings.module.css'

const GROUPS = ['Endpoint', 'Scaling', 'GPUs', 'CPU', 'Container'] as const satisfies readonly FormField['group'][]

export interface EndpointFormProps {
  readonly fields: readonly FormField[]
  readonly values: Values
  readonly faults: ReadonlyMap<string, string>
  readonly isChanged: (field: FormField) => boolean
  readonly onChange: (name: string, text: string) => void
  readonly onSubmit: () => void
  /** Beside its name. */
  readonly lead?: ReactNode
  /** After them. */
  readonly children: ReactNode
}

export function EndpointForm({ fields, lead, children, onSubmit, ...shared }: EndpointFormProps) {
  return (
    <form
      className={styles.form}
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        onSubmit()
      }}
    >
      {GROUPS.map((group) => [group, fields.filter((field) => field.group === group)] as const)
        .filter(([, members]) => members.length > 0)
        .map(([group, members]) => (
          <Group key={group} group={group} members={members} {...shared}>
            {group === 'Endpoint' && lead}
          </Group>
        ))}
      {children}
    </form>
  )
}

type GroupProps = Pick<EndpointFormProps, 'values' | 'faults' | 'isChanged' | 'onChange'> & {
  readonly group: FormField['group']
  readonly members: readonly FormField[]
  readonly children: ReactNode
}

function Group({ group, members, values, faults, isChanged, onChange, children }: GroupProps) {
  const choices = useChoices()
  return (
    <FieldGroup legend={group}>
      {members.map((field) => (
        <SettingsField
          key={field.name}
          field={field}
          options={optionsOf(field, choices, values[field.name] ?? '')}
          value={values[field.name] ?? ''}
          fault={faults.get(field.name)}
          isChanged={isChanged(field)}
          onChange={(text) => onChange(field.name, text)}
        />
      ))}
      {children}
      {group === 'GPUs' && (
        <MatchingCards
          wish={{ tokens: listOf(values, 'gpuPools'), excluded: listOf(values, 'gpuExcluded'), count: numberOf(values, 'gpuCount') }}
          onChoose={(tokens) => onChange('gpuPools', tokens.join(', '))}
        />
      )}
    </FieldGroup>
  )
}

function useChoices(): Readonly<Record<ChoiceList, readonly Choice[]>> {
  const { data: registries = [] } = useQuery(registriesQuery)
  const { data: volumes = [] } = useQuery(volumesQuery)
  const { data: templates = [] } = useQuery(templatesQuery)
  return {
    registries: registries.map(({ id, name }) => ({ value: id, label: name })),
    volumes: volumes.map(({ id, name, size }) => ({ value: id, label: size === null ? `${name} (global)` : `${name} (${size} GB)` })),
    templates: templates.filter(({ serverless }) => serverless).map(({ id, name, image }) => ({ value: id, label: `${name} (${image})` })),
  }
}

/** What the endpoint has stays among the choices, even if this key cannot list it. */
function optionsOf({ options }: FormField, choices: Readonly<Record<ChoiceList, readonly Choice[]>>, value: string) {
  if (typeof options !== 'string') return options
  const known = [{ value: '', label: 'none' }, ...choices[options]]
  return known.some((choice) => choice.value === value) ? known : [...known, { value, label: value }]
}

export interface SameCallsProps {
  readonly command: string | undefined
  readonly body: EndpointBody
  /** Absent where the endpoint is to be made. */
  readonly endpointId?: string
}

/** The same by the command line, where it has the options, and by REST. Secrets are copied, but not shown. */
export function SameCalls({ command, body, endpointId }: SameCallsProps) {
  return (
    <>
      {command !== undefined && <CopyBlock text={command} shown={coverCommand(command, body)} label="Command line" />}
      <CopyBlock text={toCurl(API_URL, body, endpointId)} shown={toCurl(API_URL, coverBody(body), endpointId)} label="Request" />
    </>
  )
}
