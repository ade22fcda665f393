import type { ComponentProps } from 'react'
import styles from './button.module.css'

export type ButtonKind = 'plain' | 'primary' | 'danger'

export interface ButtonProps extends Omit<ComponentProps<'button'>, 'className'> {
  /** `primary`: the one thing to do here. `danger`: it ends something. */
  readonly kind?: ButtonKind
}

export function Button({ kind = 'plain', type = 'button', ...rest }: ButtonProps) {
  return <button type={type} className={styles.button} data-kind={kind} {...rest} />
}

/** Of a link within the page that looks like a button. */
export const buttonClass = styles.button

/** Leads to an address outside of the page's own, such as a file. */
export function LinkButton(props: Omit<ComponentProps<'a'>, 'className'>) {
  return <a className={styles.button} {...props} />
}
