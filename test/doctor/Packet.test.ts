/** What rules of any kind ask of a packet. */
import { assert, describe, it } from "@effect/vitest"
import * as Packet from "../../src/doctor/Packet.ts"
import { address } from "./host.ts"

describe("two questions about a packet", () => {
  const answers: ReadonlyArray<readonly [left: Packet.Match, right: Packet.Match, both: Packet.Match]> = [
    [true, true, true],
    [true, false, false],
    [true, "unknown", "unknown"],
    [false, true, false],
    [false, false, false],
    [false, "unknown", false],
    ["unknown", true, "unknown"],
    ["unknown", false, false],
    ["unknown", "unknown", "unknown"]
  ]
  for (const [left, right, both] of answers) {
    it(`answered ${left} and ${right} are ${both} as one`, () => assert.strictEqual(Packet.both(left, right), both))
  }
})

describe("the opposite of a question", () => {
  const answers: ReadonlyArray<readonly [match: Packet.Match, negated: Packet.Match]> = [
    [true, false],
    [false, true],
    ["unknown", "unknown"]
  ]
  for (const [match, negated] of answers) {
    it(`answered ${match} is ${negated}`, () => assert.strictEqual(Packet.negated(match), negated))
  }
})

describe("the address of a packet", () => {
  const cases: ReadonlyArray<readonly [own: string | undefined, text: string, match: Packet.Match]> = [
    ["10.99.0.2", "10.99.0.0/24", true],
    ["10.99.0.2", "10.98.0.0/24", false],
    ["10.99.0.2", "10.99.0.2", true],
    ["10.99.0.2", "10.99.0.3", false],
    ["10.99.0.2", "fd00::/8", false],
    ["10.99.0.2", "web", "unknown"],
    [undefined, "10.99.0.0/24", "unknown"]
  ]
  for (const [own, text, match] of cases) {
    it(`${own ?? "that is not known"} is asked for by ${text}: ${match}`, () => {
      assert.strictEqual(Packet.inSubnet(own === undefined ? undefined : address(own), text), match)
    })
  }
})

describe("the link of a packet", () => {
  const cases: ReadonlyArray<readonly [link: string | undefined, pattern: string, match: Packet.Match]> = [
    ["cni0", "cni0", true],
    ["cni0", "cni", false],
    ["cni", "cni0", false],
    ["cni0", "cni+", true],
    ["cni0", "cni*", true],
    ["cni", "cni+", true],
    ["eth0", "cni+", false],
    ["eth0", "cni*", false],
    ["eth0", "+", true],
    [undefined, "cni0", "unknown"],
    [undefined, "cni+", "unknown"]
  ]
  for (const [link, pattern, match] of cases) {
    it(`${link ?? "that is not known"} is asked for by ${pattern}: ${match}`, () => {
      assert.strictEqual(Packet.isLink(link, pattern), match)
    })
  }
})
