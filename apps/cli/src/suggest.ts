// "Did you mean" for words of the command line.
import { closestWord } from '@runyard/kit'

const MOST_WRONG_LETTERS = 2

/** At most two wrong letters, and at most a third of the word: `gpus` is not meant to be `up`. */
export function closestName(word: string, names: readonly string[]): string | undefined {
  return closestWord(word, names, Math.min(MOST_WRONG_LETTERS, Math.floor(word.length / 3)))
}
