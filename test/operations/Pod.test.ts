/** The pod that an operation is for. */
import { assert, describe, it } from "@effect/vitest"
import * as Pod from "../../src/operations/Pod.ts"

describe("a pod", () => {
  it("is known by its name and its namespace in CNI_ARGS", () => {
    assert.strictEqual(Pod.of("IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web"), "shop/web")
    assert.strictEqual(Pod.of("K8S_POD_NAME=web"), "web")
    assert.strictEqual(Pod.of("K8S_POD_NAME=web;K8S_POD_NAMESPACE="), "web")
    assert.strictEqual(Pod.of("K8S_POD_NAME=a=b"), "a=b")
  })

  it("is none without a name", () => {
    for (const args of ["", "K8S_POD_NAMESPACE=shop", "K8S_POD_NAME=;K8S_POD_NAMESPACE=shop", "XK8S_POD_NAME=web"]) {
      assert.isUndefined(Pod.of(args))
    }
  })

  it("is asked for by its name, or by its namespace and its name", () => {
    assert.isTrue(Pod.is("shop/web", "web"))
    assert.isTrue(Pod.is("shop/web", "shop/web"))
    assert.isTrue(Pod.is("web", "web"))
    for (const [pod, asked] of [["shop/web", "other/web"], ["shop/web", "shop"], ["web", "shop/web"]] as const) {
      assert.isFalse(Pod.is(pod, asked))
    }
    assert.isFalse(Pod.is(undefined, "web"))
  })
})
