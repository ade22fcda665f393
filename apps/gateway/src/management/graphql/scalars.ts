// How lenient the wire is: numbers may come as strings, enum words quoted or bare (management §4.1). What is let in is then judged by
// the model; what goes out is passed on as it is, so that an echo stays byte for byte.
import { GraphQLError, GraphQLScalarType, Kind, valueFromASTUntyped, type ValueNode } from 'graphql'

function createScalar<T>(name: string, read: (value: unknown) => T): GraphQLScalarType<T, unknown> {
  return new GraphQLScalarType<T, unknown>({
    name,
    serialize: (value) => value,
    parseValue: read,
    parseLiteral: (node, variables) => read(literalValue(node, variables)),
  })
}

function literalValue(node: ValueNode, variables: Parameters<typeof valueFromASTUntyped>[1]): unknown {
  return node.kind === Kind.ENUM ? node.value : valueFromASTUntyped(node, variables)
}

function readNumber(value: unknown): number {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  if (typeof number !== 'number' || !Number.isFinite(number)) throw new GraphQLError('A number was expected.')
  return number
}

function readWhole(value: unknown): number {
  const number = readNumber(value)
  if (!Number.isSafeInteger(number)) throw new GraphQLError('A whole number was expected.')
  return number
}

function readWord(value: unknown): string {
  if (typeof value !== 'string') throw new GraphQLError('Text was expected.')
  return value
}

export const SCALARS = {
  Whole: createScalar('Whole', readWhole),
  Decimal: createScalar('Decimal', readNumber),
  Word: createScalar('Word', readWord),
  JSON: createScalar('JSON', (value) => value),
}
