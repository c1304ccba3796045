/** Addresses and subnets: how they are read, compared and written. */
import { assert, describe, it } from "@effect/vitest"
import * as Cidr from "../../src/network/Cidr.ts"
import { address, cidr } from "../doctor/host.ts"

describe("an address", () => {
  const read: ReadonlyArray<readonly [text: string, family: 4 | 6, value: bigint]> = [
    ["0.0.0.0", 4, 0n],
    ["10.1.2.3", 4, 0x0a01_0203n],
    ["255.255.255.255", 4, 0xffff_ffffn],
    ["::", 6, 0n],
    ["::1", 6, 1n],
    ["1::", 6, 1n << 112n],
    ["fe80::1:2", 6, (0xfe80n << 112n) + 0x1_0002n],
    ["1:2:3:4:5:6:7:8", 6, 0x0001_0002_0003_0004_0005_0006_0007_0008n],
    ["64:ff9b::10.1.2.3", 6, (0x64n << 112n) + (0xff9bn << 96n) + 0x0a01_0203n],
    ["1:2:3:4:5:6:10.1.2.3", 6, 0x0001_0002_0003_0004_0005_0006_0a01_0203n],
    ["::fffe:10.1.2.3", 6, 0xfffe_0a01_0203n],
    ["::ffff:10.1.2.3", 4, 0x0a01_0203n],
    ["::ffff:a01:203", 4, 0x0a01_0203n]
  ]
  for (const [text, family, value] of read) {
    it(`${text} is read as a number of IPv${family}`, () => {
      assert.deepStrictEqual(Cidr.parseAddress(text), { family, address: value, length: family === 4 ? 32 : 128 })
    })
  }

  for (const text of ["", "10.1.2", "10.1.2.256", "10.1.2.3/24", "fe80::1%eth0", "1::2::3", ":::", "web"]) {
    it(`is not read from ${JSON.stringify(text)}`, () => assert.isUndefined(Cidr.parseAddress(text)))
  }

  const written: ReadonlyArray<readonly [text: string, short: string]> = [
    ["10.1.2.3", "10.1.2.3"],
    ["::ffff:10.1.2.3", "10.1.2.3"],
    ["0:0:0:0:0:0:0:0", "::"],
    ["0:0:0:0:0:0:0:1", "::1"],
    ["1:0:0:0:0:0:0:0", "1::"],
    ["1:0:0:2:0:0:0:3", "1:0:0:2::3"],
    ["1:0:0:0:2:0:0:3", "1::2:0:0:3"],
    ["1:0:0:2:3:0:0:4", "1::2:3:0:0:4"],
    ["1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"],
    ["10:0:0:20:3:4:5:6", "10::20:3:4:5:6"],
    ["FD00:0:0:0:0:0:0:00A0", "fd00::a0"]
  ]
  for (const [text, short] of written) {
    it(`${text} is written as ${short}`, () => assert.strictEqual(Cidr.addressText(address(text)), short))
  }

  const loopback = { "127.0.0.1": true, "127.255.0.9": true, "128.0.0.1": false, "::1": true, "::2": false }
  for (const [text, isLoopback] of Object.entries(loopback)) {
    it(`${text} is ${isLoopback ? "" : "not "}of the loopback`, () => {
      assert.strictEqual(Cidr.isLoopback(address(text)), isLoopback)
    })
  }

  it("is the same whatever the length of its prefix is, and not in the other family", () => {
    assert.isTrue(Cidr.isSameAddress(cidr("10.1.2.3/8"), cidr("10.1.2.3/24")))
    assert.isFalse(Cidr.isSameAddress(cidr("10.1.2.3/24"), cidr("10.1.2.4/24")))
    assert.isFalse(Cidr.isSameAddress(address("::a01:203"), address("10.1.2.3")))
  })

  it("alone has the whole length of its family", () => {
    assert.deepStrictEqual(Cidr.single(cidr("10.1.2.3/8")), address("10.1.2.3"))
    assert.deepStrictEqual(Cidr.single(cidr("fd00::1/8")), address("fd00::1"))
  })
})

describe("a subnet", () => {
  const read: ReadonlyArray<readonly [text: string, length: number]> = [
    ["10.1.2.0/0", 0],
    ["10.1.2.0/24", 24],
    ["10.1.2.0/32", 32],
    ["10.1.2.0/024", 24],
    ["fd00::/128", 128],
    ["::ffff:10.1.2.0/24", 24]
  ]
  for (const [text, length] of read) {
    it(`is read from ${text}`, () => assert.strictEqual(Cidr.parse(text)?.length, length))
  }

  const wrong = [
    "",
    "10.1.2.0",
    "10.1.2.0/",
    "10.1.2.0/33",
    "10.1.2.0/-1",
    "10.1.2.0/1e1",
    "10.1.2.0/0024",
    "10.1.2.0/24/8",
    "fd00::/129",
    "::ffff:10.1.2.0/96",
    "web/24"
  ]
  for (const text of wrong) {
    it(`is not read from ${JSON.stringify(text)}`, () => assert.isUndefined(Cidr.parse(text)))
  }

  const bounds: ReadonlyArray<readonly [text: string, network: string, last: string]> = [
    ["10.1.2.3/24", "10.1.2.0/24", "10.1.2.255"],
    ["10.1.2.3/31", "10.1.2.2/31", "10.1.2.3"],
    ["10.1.2.3/32", "10.1.2.3/32", "10.1.2.3"],
    ["10.1.2.3/0", "0.0.0.0/0", "255.255.255.255"],
    ["fd00::1:2/112", "fd00::1:0/112", "fd00::1:ffff"],
    ["fd00::1/64", "fd00::/64", "fd00::ffff:ffff:ffff:ffff"]
  ]
  for (const [text, network, last] of bounds) {
    it(`of ${text} is ${network}, and ends with ${last}`, () => {
      assert.strictEqual(Cidr.text(Cidr.network(cidr(text))), network)
      assert.strictEqual(Cidr.last(cidr(text)), address(last).address)
    })
  }

  it("is everywhere where it has no length", () => {
    assert.deepStrictEqual(["0.0.0.0/0", "::/0", "0.0.0.0/1"].map((text) => Cidr.isDefault(cidr(text))), [
      true,
      true,
      false
    ])
  })

  const inside: ReadonlyArray<readonly [inner: string, outer: string, isInside: boolean]> = [
    ["10.1.2.3/32", "10.1.2.0/24", true],
    ["10.1.2.3/24", "10.1.2.0/24", true],
    ["10.1.2.0/24", "10.1.2.9/24", true],
    ["10.1.3.0/24", "10.1.2.0/24", false],
    ["10.1.2.0/23", "10.1.2.0/24", false],
    ["10.0.0.0/0", "10.0.0.0/8", false],
    ["192.0.2.1/32", "0.0.0.0/0", true],
    ["fd99::2/128", "fd99::/64", true],
    ["fd99:0:0:1::2/128", "fd99::/64", false],
    // The numbers of these are the same.
    ["::a01:203/128", "10.1.2.3/32", false],
    ["10.1.2.3/32", "::a01:203/32", false],
    ["10.1.2.3/32", "::/0", false],
    ["::a01:203/128", "0.0.0.0/0", false]
  ]
  for (const [inner, outer, isInside] of inside) {
    it(`${inner} is ${isInside ? "" : "not "}in ${outer}`, () => {
      assert.strictEqual(Cidr.contains(cidr(outer), cidr(inner)), isInside)
    })
  }

  it("overlaps with those in it and around it", () => {
    const overlaps = (other: string) => Cidr.overlap(cidr("10.1.2.0/24"), cidr(other))
    assert.deepStrictEqual(["10.1.0.0/16", "10.1.2.128/25", "10.1.3.0/24", "fd00::/8"].map(overlaps), [
      true,
      true,
      false,
      false
    ])
  })
})
