// Which addresses a webhook may be posted to: those of the public internet. Everything that IANA's special-purpose registries set aside is
// refused: this machine, private networks, link-local (with the clouds' metadata services), carrier NAT, multicast, documentation.
// Failure direction: what is not known to be public is refused.
import { BlockList, isIP } from 'node:net'

const NOT_PUBLIC_IPV4 = [
  ['0.0.0.0', 8], // this host
  ['10.0.0.0', 8],
  ['100.64.0.0', 10], // carrier-grade NAT
  ['127.0.0.0', 8],
  ['168.63.129.16', 32], // Azure's metadata service lies outside of the set-aside ranges
  ['169.254.0.0', 16], // link-local; 169.254.169.254 is the metadata service of most clouds
  ['172.16.0.0', 12],
  ['192.0.0.0', 24], // protocol assignments
  ['192.0.2.0', 24], // documentation
  ['192.88.99.0', 24], // 6to4 relays
  ['192.168.0.0', 16],
  ['198.18.0.0', 15], // benchmarking
  ['198.51.100.0', 24], // documentation
  ['203.0.113.0', 24], // documentation
  ['224.0.0.0', 4], // multicast
  ['240.0.0.0', 4], // reserved, and broadcast
] as const

const NOT_PUBLIC_IPV6 = [
  ['2001::', 23], // protocol assignments, Teredo among them
  ['2001:db8::', 32], // documentation
  ['2002::', 16], // 6to4
  ['3fff::', 20], // documentation
] as const

/** IPv6 addresses that carry an IPv4 address in their last 32 bits: mapped ones, and NAT64, by which IPv6-only networks reach IPv4. */
const CARRIERS = ['::ffff:', '64:ff9b::'] as const
const CARRIER_BITS = 96

function subnets(rules: readonly (readonly [network: string, bits: number])[], family: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList()
  for (const [network, bits] of rules) list.addSubnet(network, bits, family)
  return list
}

const refusedIpv4 = subnets(NOT_PUBLIC_IPV4, 'ipv4')
const globalUnicast = subnets([['2000::', 3]], 'ipv6')
const refusedIpv6 = subnets(NOT_PUBLIC_IPV6, 'ipv6')
const carriers = subnets(
  CARRIERS.map((prefix) => [`${prefix}0.0.0.0`, CARRIER_BITS]),
  'ipv6',
)
const refusedCarriers = subnets(
  CARRIERS.flatMap((prefix) => NOT_PUBLIC_IPV4.map(([network, bits]) => [`${prefix}${network}`, CARRIER_BITS + bits] as const)),
  'ipv6',
)

export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !refusedIpv4.check(address, 'ipv4')
    case 6:
      if (carriers.check(address, 'ipv6')) return !refusedCarriers.check(address, 'ipv6')
      return globalUnicast.check(address, 'ipv6') && !refusedIpv6.check(address, 'ipv6')
    default:
      return false
  }
}

/** Services of clouds that give out credentials to any client: AWS and most others, AWS for containers, Azure, Alibaba, Oracle. */
const METADATA_IPV4 = ['169.254.169.254', '169.254.170.2', '169.254.170.23', '168.63.129.16', '100.100.100.200', '192.0.0.192'] as const
/** AWS and Google. */
const METADATA_IPV6 = ['fd00:ec2::254', 'fd00:ec2::23', 'fd20:ce::254'] as const

const isMetadata = createNetworkCheck([
  ...METADATA_IPV4.map((address) => `${address}/32`),
  ...METADATA_IPV6.map((address) => `${address}/128`),
])

/** Never to be posted to, whatever is allowed. */
export function isMetadataAddress(address: string): boolean {
  return isMetadata(address)
}

/** Of networks such as `10.0.0.0/8`; an IPv6 address that carries an IPv4 address counts as that. */
export function createNetworkCheck(networks: readonly string[]): (address: string) => boolean {
  const parsed = networks.map((network) => {
    const [address = '', bits = ''] = network.split('/')
    return { address, bits: Number(bits), isIpv4: isIP(address) === 4 }
  })
  const plain = parsed.filter(({ isIpv4 }) => isIpv4).map(({ address, bits }) => [address, bits] as const)
  const carried = CARRIERS.flatMap((prefix) => plain.map(([address, bits]) => [`${prefix}${address}`, CARRIER_BITS + bits] as const))
  const long = parsed.filter(({ isIpv4 }) => !isIpv4).map(({ address, bits }) => [address, bits] as const)
  const [ipv4, ipv6] = [subnets(plain, 'ipv4'), subnets([...carried, ...long], 'ipv6')]
  return (address) => {
    const family = isIP(address)
    return family === 4 ? ipv4.check(address, 'ipv4') : family === 6 && ipv6.check(address, 'ipv6')
  }
}
