// The network of all workers on an engine: a bridge of ours on which containers do not reach each other, and from which no TCP reaches the
// metadata services of clouds. Docker has no option for the second, so a container with the host's network adds routing rules (ip-rule(8)) for
// packets that enter by our bridge. A restart of the machine forgets the rules; `prepare` adds them again. UDP stays: on one cloud the address
// of the metadata service is also the name server's. The network has no IPv6, so no IPv6 address needs a rule.
import type Docker from 'dockerode'
import { messageOf, statusOf } from './docker-errors.ts'
import { PROBE_LABEL, removeContainer } from './remove-container.ts'

/** Shared by all installs on the engine. */
export const WORKER_NETWORK = 'runyard'
export const WORKER_BRIDGE = 'runyard0'

/** AWS, GCP, Azure, Oracle and others use the link-local one; then Alibaba Cloud, and Azure's agent service. */
export const METADATA_NETWORKS = ['169.254.0.0/16', '100.100.100.200/32', '168.63.129.16/32'] as const

/** Creates the network where it is missing, and returns the address at which its containers reach the engine's machine. */
export async function ensureWorkerNetwork(docker: Docker): Promise<string | undefined> {
  return (await findGateway(docker)) ?? (await createNetwork(docker))
}

/** `used`: a container is on it. */
export async function removeWorkerNetwork(docker: Docker): Promise<'removed' | 'absent' | 'used'> {
  try {
    await docker.getNetwork(WORKER_NETWORK).remove()
    return 'removed'
  } catch (error) {
    if (statusOf(error) === 404) return 'absent'
    // Docker says it with 403, which also a proxy says that refuses the call.
    if (statusOf(error) === 409 || /active endpoints/.test(messageOf(error))) return 'used'
    throw error
  }
}

async function createNetwork(docker: Docker): Promise<string | undefined> {
  const options = { 'com.docker.network.bridge.enable_icc': 'false', 'com.docker.network.bridge.name': WORKER_BRIDGE }
  try {
    await docker.createNetwork({ Name: WORKER_NETWORK, Driver: 'bridge', Labels: { 'runyard.network': '1' }, Options: options })
  } catch (error) {
    // Another install was first: engines refuse the name (409) or the bridge (403).
    if (statusOf(error) !== 409 && statusOf(error) !== 403) throw error
    const gateway = await findGateway(docker)
    if (gateway === undefined) throw error
    return gateway
  }
  return findGateway(docker)
}

async function findGateway(docker: Docker): Promise<string | undefined> {
  const networks = await docker.listNetworks({ filters: { name: [WORKER_NETWORK] } })
  const config = networks.find(({ Name }) => Name === WORKER_NETWORK)?.IPAM?.Config?.find(({ Subnet }) => Subnet?.includes('.'))
  return config?.Gateway ?? firstAddressOf(config?.Subnet)
}

/** `172.17.0.0/16` → `172.17.0.1` */
function firstAddressOf(subnet: string | undefined): string | undefined {
  const parts = subnet?.split('/')[0]?.split('.')
  return parts === undefined ? undefined : [...parts.slice(0, 3), Number(parts[3]) + 1].join('.')
}

export type MetadataBlock = { readonly kind: 'blocked' } | { readonly kind: 'open'; readonly reason: string }

/** `add`: adds the rules that are missing; `check`: changes nothing. `image` has Python. */
export async function blockMetadata(
  docker: Docker,
  how: { readonly image: string; readonly mode: 'add' | 'check' },
): Promise<MetadataBlock> {
  const { image, mode } = how
  try {
    const container = await docker.createContainer({
      Image: image,
      Entrypoint: ['python3', '-c', RULES_PROGRAM, mode, WORKER_BRIDGE, ...METADATA_NETWORKS],
      Cmd: [],
      User: '0',
      Labels: { [PROBE_LABEL]: 'yes' },
      HostConfig: {
        NetworkMode: 'host',
        UsernsMode: 'host',
        CapDrop: ['ALL'],
        CapAdd: ['NET_ADMIN'],
        SecurityOpt: ['no-new-privileges:true'],
      },
    })
    try {
      await container.start()
      const { StatusCode } = (await container.wait()) as { StatusCode: number }
      if (StatusCode === 0) return { kind: 'blocked' }
      const output = await container.logs({ stdout: true, stderr: true, tail: 1 })
      // Eight bytes of Docker's own come before each line.
      return { kind: 'open', reason: output.subarray(8).toString().trim() || `the program that adds the rules ended with ${StatusCode}` }
    } finally {
      await removeContainer(container)
    }
  } catch (error) {
    return { kind: 'open', reason: messageOf(error) }
  }
}

/** Netlink messages by hand (rtnetlink(7), linux/fib_rules.h), since images rarely have iproute2. Prints one line when it fails. */
const RULES_PROGRAM = `
import errno, os, socket, struct, sys
mode, bridge, networks = sys.argv[1], sys.argv[2], sys.argv[3:]
NEWRULE, GETRULE, REQUEST, ACK, EXCL, CREATE, DUMP, ERROR, DONE, PROHIBIT = 32, 34, 1, 4, 0x200, 0x400, 0x300, 2, 3, 8
DST, IIFNAME, PRIORITY, IP_PROTO = 1, 3, 6, 22
netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)

def attribute(kind, value):
    return (struct.pack("=HH", 4 + len(value), kind) + value).ljust((4 + len(value) + 3) & ~3, b"\\0")

def send(kind, flags, body):
    netlink.send(struct.pack("=IHHII", 16 + len(body), kind, REQUEST | flags, 1, 0) + body)

def parse(address):
    host, bits = address.split("/")
    return socket.inet_aton(host), int(bits)

def add(packed, bits):
    header = struct.pack("=BBBBBBBBI", socket.AF_INET, bits, 0, 0, 0, 0, 0, PROHIBIT, 0)
    rules = attribute(DST, packed) + attribute(IIFNAME, bridge.encode() + b"\\0") + attribute(PRIORITY, struct.pack("=I", 100))
    send(NEWRULE, ACK | EXCL | CREATE, header + rules + attribute(IP_PROTO, bytes([socket.IPPROTO_TCP])))
    code = -struct.unpack_from("=i", netlink.recv(65536), 16)[0]
    if code not in (0, errno.EEXIST):
        sys.exit("the kernel refuses a routing rule: " + os.strerror(code))

def rules():
    send(GETRULE, DUMP, struct.pack("=BBBBBBBBI", socket.AF_INET, 0, 0, 0, 0, 0, 0, 0, 0))
    while True:
        data = netlink.recv(1 << 20)
        while data:
            length, kind = struct.unpack_from("=IH", data)
            if kind == DONE:
                return
            if kind == ERROR:
                sys.exit("the kernel does not list its routing rules")
            yield data[16:length]
            data = data[(length + 3) & ~3:]

targets = [parse(network) for network in networks]
if mode == "add":
    for target in targets:
        add(*target)
own = [rule for rule in rules() if bridge.encode() + b"\\0" in rule and rule[7] == PROHIBIT]
if not all(any(packed in rule[12:] and rule[1] == bits for rule in own) for packed, bits in targets):
    sys.exit("routing rules are missing; they are added when Runyard starts")
`
