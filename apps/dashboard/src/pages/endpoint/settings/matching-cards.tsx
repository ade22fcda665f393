// Which cards match while the form is filled in, and the pools that this yard has, to choose by one click.
import { useQuery } from '@tanstack/react-query'
import { gpuTypesQuery, poolQuery } from '../../../api/queries.ts'
import { describeMatch, offersOf, type CardWish } from './match-cards.ts'
import styles from './settings.module.css'

export interface MatchingCardsProps {
  readonly wish: CardWish
  readonly onChoose: (tokens: readonly string[]) => void
}

export function MatchingCards({ wish, onChoose }: MatchingCardsProps) {
  const { data: pool } = useQuery(poolQuery)
  const { data: types } = useQuery(gpuTypesQuery)
  if (pool === undefined || types === undefined) return null
  return (
    <div className={styles.cards}>
      <div role="group" aria-label="GPUs of this yard" className={styles.offers}>
        {offersOf(pool, types).map(({ token, cards, free, types: names }) => {
          const isChosen = wish.tokens.includes(token)
          const next = isChosen ? wish.tokens.filter((one) => one !== token) : [...wish.tokens, token]
          return (
            <button key={token} type="button" aria-pressed={isChosen} className={styles.offer} onClick={() => onChoose(next)}>
              <span aria-hidden>{isChosen ? '✓ ' : '+ '}</span>
              <b>{token}</b> {names.join(', ')} · {cards} {cards === 1 ? 'card' : 'cards'}, {free} free
            </button>
          )
        })}
      </div>
      <p role="status">{describeMatch(wish, pool, types)}</p>
    </div>
  )
}
