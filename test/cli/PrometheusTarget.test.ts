/** Where metrics go, as it is written on the command line. */
import { assert, describe, it } from "@effect/vitest"
import * as PrometheusTarget from "../../src/cli/PrometheusTarget.ts"

describe("a place for metrics", () => {
  const ports: { readonly [text: string]: readonly [host: string, port: number] } = {
    ":9808": ["127.0.0.1", 9808],
    "0.0.0.0:9808": ["0.0.0.0", 9808],
    "node-1:80": ["node-1", 80],
    "[::]:9808": ["::", 9808]
  }
  for (const [text, [host, port]] of Object.entries(ports)) {
    it(`is a port, of loopback unless an address is given: ${text}`, () => {
      assert.deepStrictEqual(PrometheusTarget.parse(text), { _tag: "Port", host, port })
    })
  }

  for (const path of ["cni.prom", "/var/lib/node_exporter/cni.prom", "./a:1"]) {
    it(`is a file: ${path}`, () => {
      assert.deepStrictEqual(PrometheusTarget.parse(path), { _tag: "File", path })
    })
  }

  const refused = {
    ":99999": "found \":99999\", expected a port up to 65535",
    "9808": "found \"9808\", expected a file, :PORT or ADDRESS:PORT; for a file, give ./9808",
    "a:b": "found \"a:b\", expected a file, :PORT or ADDRESS:PORT; for a file, give ./a:b",
    "": "expected a file, :PORT or ADDRESS:PORT"
  }
  for (const [text, message] of Object.entries(refused)) {
    it(`is refused: "${text}"`, () => {
      assert.throws(() => PrometheusTarget.parse(text), message)
    })
  }
})
