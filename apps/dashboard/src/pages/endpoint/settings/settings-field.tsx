import { useId, useState } from 'react'
import { Button } from '../../../ui/button.tsx'
import type { Choice, FormField } from './form-field.ts'
import styles from './settings.module.css'

export interface SettingsFieldProps {
  readonly field: FormField
  readonly options: readonly Choice[] | undefined
  readonly value: string
  readonly fault: string | undefined
  readonly isChanged: boolean
  readonly onChange: (text: string) => void
}

export function SettingsField({ field, options, value, fault, isChanged, onChange }: SettingsFieldProps) {
  const id = useId()
  const { label, help } = field
  const [isShown, setShown] = useState(false)
  const covered = field.cover?.(value) ?? value
  // What somebody writes just now is not covered under their hands.
  const isCovered = covered !== value && !isShown && !isChanged
  const shared = {
    id,
    value: isCovered ? covered : value,
    readOnly: isCovered,
    'aria-invalid': fault !== undefined,
    'aria-describedby': `${id}-help`,
    onChange: (event: { readonly target: { readonly value: string } }) => onChange(event.target.value),
  }
  return (
    <div className={styles.field} data-wide={field.kind === 'lines'}>
      <label htmlFor={id}>
        {label}
        {isChanged && <span className={styles.changed}> changed</span>}
      </label>
      <Input kind={field.kind} options={options} shared={shared} />
      {isCovered && (
        <div className={styles.cover}>
          <Button onClick={() => setShown(true)}>Show and edit</Button>
          <span className={styles.muted}>Values that are called like secrets are covered.</span>
        </div>
      )}
      <span id={`${id}-help`} className={fault === undefined ? styles.muted : styles.fault}>
        {fault === undefined ? help : `✕ ${fault}`}
      </span>
    </div>
  )
}

interface InputProps {
  readonly kind: FormField['kind']
  readonly options: readonly Choice[] | undefined
  readonly shared: {
    readonly id: string
    readonly value: string
    readonly readOnly: boolean
    readonly 'aria-invalid': boolean
    readonly 'aria-describedby': string
    readonly onChange: (event: { readonly target: { readonly value: string } }) => void
  }
}

function Input({ options, kind, shared }: InputProps) {
  if (options !== undefined) {
    const { readOnly: _readOnly, ...select } = shared
    return (
      <select {...select}>
        {options.map(({ value, label }) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </select>
    )
  }
  if (kind === 'lines') return <textarea {...shared} rows={Math.max(3, shared.value.split('\n').length + 1)} spellCheck={false} />
  return <input {...shared} autoComplete="off" spellCheck={false} />
}
