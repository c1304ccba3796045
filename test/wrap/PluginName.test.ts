/** What the name of a file in a folder of plugins says about it. */
import { assert, describe, it } from "@effect/vitest"
import * as PluginName from "../../src/wrap/PluginName.ts"

describe("the name of a plugin", () => {
  it("is known where the plugin is in wide use", () => {
    for (
      const name of ["bandwidth", "bridge", "azure-vnet-ipamv6", "vpc-shared-eni", "whereabouts", "weave-plugin-2.8"]
    ) {
      assert.isTrue(PluginName.isKnown(name), name)
    }
    for (const name of ["", "bridge2", "my-bridge", "Bridge", "weave-plugin", "my-weave-plugin-2.8"]) {
      assert.isFalse(PluginName.isKnown(name), name)
    }
  })
})

describe("a temporary name", () => {
  const endings = (
    "dpkg-new dpkg-tmp dpkg-old dpkg-dist dpkg-bak dpkg-remove ucf-new ucf-old ucf-dist " +
    "rpmnew rpmsave rpmorig rpmmoved rpm-tmp pacnew pacsave pacorig apk-new cfgsave distrib diverted " +
    "new old orig bak backup save saved tmp temp part partial swp swx download"
  ).split(" ")
  const marked = [...endings.map((ending) => `my-plugin.${ending}`), "my-plugin~", "my-plugin#", "my-plugin;5f3a9c21"]
  for (const name of [...marked, "my-plugin;0123"]) {
    it(`is ${name}, with the final name in it`, () => {
      assert.isTrue(PluginName.isTemporary(name))
      assert.strictEqual(PluginName.finalOf(name), "my-plugin")
    })
  }

  for (const name of [".my-plugin", "_my-plugin", "#my-plugin", "#my-plugin#", ".my-plugin.swp"]) {
    it(`is ${name}, whose final name is not certain`, () => {
      assert.isTrue(PluginName.isTemporary(name))
      assert.isUndefined(PluginName.finalOf(name))
    })
  }

  for (
    const name of [
      "my-plugin",
      "my-plugin.conf",
      "my-plugin-new",
      "my-plugin.newer",
      "my-plugin;5f3",
      "new",
      "my_plugin"
    ]
  ) {
    it(`is not ${name}`, () => {
      assert.isFalse(PluginName.isTemporary(name))
      assert.isUndefined(PluginName.finalOf(name))
    })
  }
})

describe("the reason why a file is never wrapped", () => {
  for (
    const name of [
      "passthrough",
      "cni-passthrough",
      "passthrough-1.2",
      "passthrough.old",
      "passthrough;5f3a9c21",
      "passthrough~"
    ]
  ) {
    it(`is for ${name} that it is ours`, () => {
      assert.isTrue(PluginName.isOurs(name))
      assert.strictEqual(PluginName.objection(name), "it is our own executable")
    })
  }

  for (const name of ["passthrough2", "my-passthrough", "tap"]) {
    it(`is none for ${name}`, () => {
      assert.isFalse(PluginName.isOurs(name))
      assert.isUndefined(PluginName.objection(name))
    })
  }

  it("is the name where it is a temporary one", () => {
    assert.strictEqual(PluginName.objection("bridge.bak"), "installers use such names for temporary files")
  })
})
