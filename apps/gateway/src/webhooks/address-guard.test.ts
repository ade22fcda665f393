import { describe, expect, it } from 'vitest'
import { isPublicAddress } from './address-guard.ts'
import { allowedAddresses, parseWebhookUrl } from './target.ts'

describe('isPublicAddress', () => {
  it.each([
    ['8.8.8.8', 'IPv4'],
    ['9.255.255.255', 'the last before 10/8'],
    ['11.0.0.0', 'the first after 10/8'],
    ['100.63.255.255', 'the last before carrier NAT'],
    ['100.128.0.0', 'the first after carrier NAT'],
    ['172.15.255.255', 'the last before 172.16/12'],
    ['172.32.0.0', 'the first after 172.16/12'],
    ['192.167.255.255', 'the last before 192.168/16'],
    ['223.255.255.255', 'the last before multicast'],
    ['2606:4700:4700::1111', 'IPv6'],
    ['2a00:1450:4001:81b::200e', 'IPv6'],
    ['::ffff:8.8.8.8', 'IPv4-mapped'],
    ['64:ff9b::8.8.8.8', 'NAT64 of a public address'],
  ])('lets %s pass (%s)', (address) => {
    expect(isPublicAddress(address)).toBe(true)
  })

  it.each([
    ['0.0.0.0', 'any, which means this host'],
    ['0.1.2.3', 'this network'],
    ['10.0.0.1', 'private'],
    ['100.64.0.1', 'carrier NAT'],
    ['100.100.100.200', 'Alibaba metadata, in carrier NAT'],
    ['127.0.0.1', 'loopback'],
    ['127.255.255.254', 'loopback'],
    ['168.63.129.16', 'Azure metadata'],
    ['169.254.0.1', 'link-local'],
    ['169.254.169.254', 'metadata'],
    ['172.16.0.1', 'private'],
    ['172.31.255.255', 'private'],
    ['192.0.0.192', 'Oracle metadata'],
    ['192.0.2.1', 'documentation'],
    ['192.88.99.1', '6to4 relay'],
    ['192.168.1.1', 'private'],
    ['198.18.0.1', 'benchmarking'],
    ['198.51.100.1', 'documentation'],
    ['203.0.113.1', 'documentation'],
    ['224.0.0.1', 'multicast'],
    ['240.0.0.1', 'reserved'],
    ['255.255.255.255', 'broadcast'],
    ['::', 'any'],
    ['::1', 'loopback'],
    ['::10.0.0.1', 'IPv4-compatible'],
    ['::ffff:127.0.0.1', 'IPv4-mapped'],
    ['::ffff:7f00:1', 'IPv4-mapped, in hex'],
    ['::ffff:a9fe:a9fe', 'IPv4-mapped metadata'],
    ['0:0:0:0:0:ffff:10.0.0.1', 'IPv4-mapped, written out'],
    ['64:ff9b::10.0.0.1', 'NAT64 of a private address'],
    ['64:ff9b::a9fe:a9fe', 'NAT64 of the metadata service'],
    ['64:ff9b:1::1', 'local NAT64'],
    ['100::1', 'discard'],
    ['2001::1', 'Teredo'],
    ['2001:db8::1', 'documentation'],
    ['2002:7f00:1::', '6to4 of loopback'],
    ['3fff::1', 'documentation'],
    ['5f00::1', 'segment routing'],
    ['fc00::1', 'unique local'],
    ['fd00:ec2::254', 'AWS metadata'],
    ['fe80::1', 'link-local'],
    ['fe80::1%eth0', 'link-local with its zone'],
    ['fec0::1', 'site-local'],
    ['ff02::1', 'multicast'],
    ['localhost', 'a name'],
    ['', 'nothing'],
  ])('refuses %s (%s)', (address) => {
    expect(isPublicAddress(address)).toBe(false)
  })
})

describe('private addresses that a setting permits', () => {
  const listed = allowedAddresses({ allowPrivate: ['10.0.0.0/8', '192.168.1.5/32', 'fd12::/16'] })
  const all = allowedAddresses({ allowPrivate: true })
  const none = allowedAddresses({ allowPrivate: false })

  it.each(['10.0.0.1', '10.255.255.255', '192.168.1.5', 'fd12::1', '::ffff:10.0.0.1', '64:ff9b::10.0.0.1'])(
    '%s is in a listed network',
    (address) => {
      expect([listed(address), all(address), none(address)]).toEqual([true, true, false])
    },
  )

  it.each(['127.0.0.1', '172.16.0.1', '192.168.1.6', 'fd13::1', '::1', '::ffff:127.0.0.1'])('%s is in none', (address) => {
    expect([listed(address), all(address)]).toEqual([false, true])
  })

  it.each([
    '169.254.169.254',
    '::ffff:169.254.169.254',
    '64:ff9b::a9fe:a9fe',
    '169.254.170.2',
    '168.63.129.16',
    '100.100.100.200',
    '192.0.0.192',
    'fd00:ec2::254',
    'fd20:ce::254',
  ])('%s, which gives out credentials of a cloud, is never permitted', (address) => {
    const everything = allowedAddresses({ allowPrivate: ['0.0.0.0/0', '::/0'] })
    expect([everything(address), all(address), none(address)]).toEqual([false, false, false])
  })

  it('are refused in a URL at once, as are ports of services that are no web servers', () => {
    expect(parseWebhookUrl('http://10.0.0.1:8080/', listed).href).toBe('http://10.0.0.1:8080/')
    expect(() => parseWebhookUrl('http://169.254.169.254/latest', all)).toThrow(
      'names 169.254.169.254, the address of a metadata service, which no setting permits',
    )
    for (const port of [22, 25, 465, 6667]) {
      expect(() => parseWebhookUrl(`http://example.com:${port}/`, all)).toThrow(`"webhook" names port ${port}, which no web server has`)
    }
  })
})
