// Fields of forms: a label, what may stand in it, and the input.
import { useId, type ComponentProps, type ReactNode, type SubmitEvent } from 'react'
import styles from './field.module.css'

export interface FieldProps extends Omit<ComponentProps<'input'>, 'id' | 'aria-describedby' | 'onChange'> {
  readonly label: string
  readonly help?: string
  readonly onChange: (value: string) => void
}

export function Field({ label, help, onChange, ...rest }: FieldProps) {
  const id = useId()
  return (
    <div className={styles.field}>
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        autoComplete="off"
        aria-describedby={help && `${id}-help`}
        {...rest}
        onChange={(event) => onChange(event.target.value)}
      />
      {help && (
        <span id={`${id}-help`} className={styles.help}>
          {help}
        </span>
      )}
    </div>
  )
}

/** Calls `onSubmit` instead of leaving the page. */
export function Form({ onSubmit, children }: { readonly onSubmit: () => void; readonly children: ReactNode }) {
  const submit = (event: SubmitEvent<HTMLFormElement>): void => {
    event.preventDefault()
    onSubmit()
  }
  return (
    <form className={styles.form} onSubmit={submit}>
      {children}
    </form>
  )
}
