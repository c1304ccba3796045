/** What is wrong with a network configuration, with its place. */
import { assert, describe, it } from "@effect/vitest"
import * as Check from "../../src/doctor/Check.ts"
import * as Checks from "../../src/doctor/Checks.ts"
import * as Collect from "../../src/doctor/Collect.ts"
import * as ConfigFile from "../../src/doctor/ConfigFile.ts"
import * as Facts from "./facts.ts"
import * as Host from "./host.ts"

const found = (config: string | object, path?: string) => Facts.found(Checks.configuration, Facts.ofFile(config, path))

const chain = {
  cniVersion: "1.0.0",
  name: "n",
  plugins: [{ type: "bridge" }, { type: "passthrough" }]
}

/** A network of one plugin. */
const one = (plugin: object) => ({ cniVersion: "1.0.0", name: "n", plugins: [plugin] })

/** A network of bridge and host-local. */
const withRanges = (ipam: object, bridge: object = {}) =>
  one({ type: "bridge", ...bridge, ipam: { type: "host-local", ...ipam } })

describe("a configuration", () => {
  it("has no findings where all is right", () => {
    assert.deepStrictEqual(found(chain), [])
  })

  it("has every problem of the document and of our fields", () => {
    const text = `{
  "cniVersion": "1.0.0",
  "name": "-n",
  "plugins": [
    { "type": "passthrough", "hookADD": 3, "logSinks": [{ "type": "kafka" }] },
    4,
    {}
  ]
}`
    assert.deepStrictEqual(found(text), [
      `error specification - 3:11 name: found "-n", expected a letter or digit, then letters, digits, '_', '.' or '-'`,
      "error specification - 6:5 plugins[1]: found 4, expected an object",
      "error specification - 7:5 plugins[2].type: found nothing, expected the name of a plugin, " +
      "which is a file on the CNI path",
      "error plugin-fields passthrough 5:41 plugins[0].hookADD: found 3, expected a list of commands",
      `error plugin-fields passthrough 5:67 plugins[0].logSinks[0].type: found "kafka", ` +
      `expected "file" or "syslog" or "journald" or "stderr"`
    ])
  })

  const broken: { readonly [name: string]: readonly [text: string, message: string] } = {
    "a trailing comma": [`{"name": "n",\n"plugins": [{"type": "bridge"},]}`, `json - 2:31 a trailing comma before "]"`],
    "a comment": [`{"name": "n", // mine\n"plugins": []}`, "json - 1:15 a comment, which JSON does not have"],
    "a byte-order mark": [
      `\uFEFF${JSON.stringify(chain)}`,
      "json - 1:1 a byte-order mark, which runtimes do not read"
    ],
    "nothing": ["", "json - 1:1 the end of the file where a value should be"]
  }
  for (const [name, [text, message]] of Object.entries(broken)) {
    it(`that is not JSON because of ${name} has one finding, with its place`, () => {
      assert.deepStrictEqual(found(text), [`error ${message}`])
    })
  }

  it("has a finding for a key that is there twice, at the one that counts", () => {
    const text = `{"cniVersion": "1.0.0", "name": "n", "plugins": [{"type": "bridge",\n"mtu": 1400,\n"mtu": 1500}]}`
    assert.deepStrictEqual(found(text), [
      `warning duplicate-keys - 3:1 the key "mtu" is there twice: what it says in line 2 is lost`
    ])
  })

  it("names an unknown version once", () => {
    assert.deepStrictEqual(found({ ...chain, cniVersion: "9.9.9" }), [
      `error specification - 1:15 cniVersion: found "9.9.9", ` +
      "expected one of 0.1.0, 0.2.0, 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0"
    ])
  })

  it("is not loaded under any name, and not in any form", () => {
    assert.deepStrictEqual(found(chain, "/etc/cni/net.d/n.txt"), [
      "error file-name - 1:1 runtimes load only files that end with .conflist, .conf or .json"
    ])
    assert.deepStrictEqual(found(chain, "/etc/cni/net.d/n.conf"), [
      "error file-name - 1:1 found a list of plugins, expected one plugin, as the file is not called .conflist"
    ])
  })

  it("that is shadowed by another file of its name is named with the one that wins", () => {
    const files = ["10-a.conflist", "20-b.conflist"].map((name) =>
      ConfigFile.make(`/etc/cni/net.d/${name}`, JSON.stringify(chain))
    )
    assert.deepStrictEqual(Facts.found(Checks.configuration, Collect.ofFile(files[0], files)), [
      `warning folder - 1:30 the network "n" is in two files: 10-a.conflist is used, and 20-b.conflist is shadowed by it`
    ])
  })

  it("after a file that is not JSON is never come to", () => {
    const files = [
      ConfigFile.make("/etc/cni/net.d/05-x.conflist", "{"),
      ConfigFile.make("/etc/cni/net.d/10-n.conflist", JSON.stringify(chain))
    ]
    assert.deepStrictEqual(Facts.found(Checks.configuration, Collect.ofFile(files[1], files)), [
      "error folder - 1:2 05-x.conflist stands before 10-n.conflist and is not JSON: " +
      "runtimes that look for the network stop there"
    ])
  })
})

describe("a network that is asked for", () => {
  const file = ConfigFile.make("/etc/cni/net.d/10-pods.conflist", JSON.stringify({ ...chain, name: "pods" }))
  const facts = { ...Collect.ofFile(undefined, [file]), folder: "/etc/cni/net.d" }

  it("and is not there is named with the nearest one", () => {
    assert.deepStrictEqual(Facts.found(Checks.configuration, { ...facts, asked: "pod" }), [
      `error network-found - no network "pod" in /etc/cni/net.d: did you mean pods?`
    ])
  })

  it("and is in a file that runtimes pass over is found there, with what to do", () => {
    const asked = { ...facts, asked: "nonet", unloaded: ["/etc/cni/net.d/10-nonet.conflist.new"] }
    const [finding] = Check.examine(Checks.configuration, asked).findings
    assert.include(finding?.evidence[0], "/etc/cni/net.d/10-nonet.conflist.new has it, but runtimes load .conflist")
    assert.include(JSON.stringify(finding?.fix), "rename /etc/cni/net.d/10-nonet.conflist.new to 10-nonet.conflist")
  })

  it("in an empty folder is not there", () => {
    assert.deepStrictEqual(Facts.found(Checks.configuration, { ...facts, files: [] }), [
      "error network-found - no network configuration in /etc/cni/net.d: runtimes find no network at all"
    ])
  })
})

describe("a field", () => {
  it("of ours that is misspelt is passed over by the plugin", () => {
    const text = `{"name": "n", "type": "passthrough", "logfile": "/x", "hookAdd": [], "lable": "y", "log_level": 3}`
    assert.deepStrictEqual(found(text, "/n.conf"), [
      "warning field-names passthrough 1:49 logfile: the plugin does not know this field: did you mean logFile?",
      "warning field-names passthrough 1:66 hookAdd: the plugin does not know this field: did you mean hookADD?",
      "warning field-names passthrough 1:79 lable: the plugin does not know this field: did you mean label?",
      "warning field-names passthrough 1:97 log_level: the plugin does not know this field: " +
      "did you mean logFile or logFormat or logSinks or logTimeout?"
    ])
  })

  it("of a plugin that is misspelt is passed over, one in another case is not", () => {
    assert.deepStrictEqual(
      found(one({ type: "bridge", isGatway: true, ISDEFAULTGATEWAY: true })).map((line) =>
        line.replace(/^.*\d:\d+ /, "")
      ),
      ["plugins[0].isGatway: the plugin does not know this field: did you mean isGateway?"]
    )
  })

  const refused: { readonly [name: string]: readonly [plugin: object, message: string] } = {
    "mtu in quotes": [
      { type: "bridge", mtu: "1500" },
      `mtu: found "1500", expected a whole number from 0 to 2147483647, without quotes`
    ],
    "isGateway in quotes": [{ type: "bridge", isGateway: "true" }, `isGateway: found "true", expected true or false`],
    "a vlan out of range": [
      { type: "bridge", vlan: 5000 },
      "vlan: found 5000, expected a whole number from 0 to 4094, without quotes"
    ],
    "a name of a link that is too long": [
      { type: "bridge", bridge: "a-bridge-with-a-long-name" },
      `bridge: found "a-bridge-with-a-long-name", expected the name of a link: at most 15 bytes, without "/", ":" and blanks`
    ],
    "a mode of macvlan": [
      { type: "macvlan", master: "eth0", mode: "brigde" },
      `mode: found "brigde", expected "bridge" or "private" or "vepa" or "passthru"`
    ],
    "ranges that are flat": [
      { type: "bridge", ipam: { type: "host-local", ranges: [{ subnet: "10.1.0.0/24" }] } },
      `ipam.ranges[0]: found an object, expected a list of ranges: [[{ "subnet": … }]]`
    ],
    "a subnet without a length": [
      { type: "bridge", ipam: { type: "host-local", subnet: "10.1.0.0" } },
      `ipam.subnet: found "10.1.0.0", expected an address with the length of its prefix, such as "10.1.0.0/16"`
    ]
  }
  for (const [name, [plugin, message]] of Object.entries(refused)) {
    it(`that real plugins refuse is named: ${name}`, () => {
      const [first = ""] = found(one(plugin))
      assert.include(first, `plugins[0].${message}`)
      assert.include(first, "error plugin-fields")
    })
  }

  it("of a plugin that nobody knows is left alone", () => {
    assert.deepStrictEqual(found(one({ type: "my-own", mtu: "1500", isGatway: 1 })), [])
  })
})

describe("addresses of a configuration", () => {
  const wrong: { readonly [name: string]: readonly [ipam: object, message: string] } = {
    "a gateway outside its subnet": [
      { ranges: [[{ subnet: "10.1.0.0/24", gateway: "10.2.0.1" }]] },
      "ranges[0][0].gateway: 10.2.0.1 is not in the subnet 10.1.0.0/24"
    ],
    "an address in place of a subnet": [
      { subnet: "10.1.0.5/24" },
      `subnet: found "10.1.0.5/24", an address in the subnet, expected the subnet 10.1.0.0/24`
    ],
    "a subnet without room": [{ subnet: "10.1.0.0/31" }, "subnet: 10.1.0.0/31 is too small to give addresses out of"],
    "a start outside": [
      { subnet: "10.1.0.0/24", rangeStart: "10.1.1.9" },
      "rangeStart: 10.1.1.9 is not in the subnet 10.1.0.0/24"
    ],
    "a range the wrong way round": [
      { subnet: "10.1.0.0/24", rangeStart: "10.1.0.90", rangeEnd: "10.1.0.80" },
      "rangeStart: 10.1.0.90 is after the end of the range"
    ],
    "both families in one set": [
      { ranges: [[{ subnet: "10.1.0.0/24" }, { subnet: "fd00::/64" }]] },
      "ranges[0][1]: addresses of both families in one set"
    ],
    "a route over a gateway elsewhere": [
      { subnet: "10.1.0.0/24", routes: [{ dst: "0.0.0.0/0", gw: "192.168.1.1" }] },
      "routes[0].gw: the gateway 192.168.1.1 is in no subnet of the network (10.1.0.0/24)"
    ],
    "no range at all": [{}, "no range of addresses: found neither subnet nor ranges"]
  }
  for (const [name, [ipam, message]] of Object.entries(wrong)) {
    it(`are wrong with ${name}`, () => {
      const [first = "", ...others] = found(withRanges(ipam))
      assert.match(first, /^error addressing host-local /)
      assert.include(first, message)
      assert.deepStrictEqual(others, [])
    })
  }

  it("are right in every form that host-local takes", () => {
    for (
      const ipam of [
        { subnet: "10.1.0.0/24" },
        {
          ranges: [[{ subnet: "10.1.0.0/24", gateway: "10.1.0.254", rangeStart: "10.1.0.10" }], [{
            subnet: "fd00::/64"
          }]]
        },
        {
          ranges: [[{ subnet: "10.1.0.0/24", rangeEnd: "10.1.0.9" }, {
            subnet: "10.1.0.0/24",
            rangeStart: "10.1.0.20"
          }]]
        }
      ]
    ) assert.deepStrictEqual(found(withRanges(ipam)), [])
  })
})

describe("a chain", () => {
  it("does not begin with a plugin that works on what others made", () => {
    assert.deepStrictEqual(found({ ...chain, plugins: [{ type: "portmap" }, { type: "bridge" }] }), [
      "error chain-order portmap 1:53 plugins[0].type: portmap stands first, and works only on what a plugin before it " +
      "has made"
    ])
  })

  it("has one plugin that makes the interface", () => {
    assert.include(
      found({ ...chain, plugins: [{ type: "bridge" }, { type: "macvlan", master: "eth0" }] })[0],
      "macvlan makes the interface that bridge has made already"
    )
  })

  it("passes on arguments of capabilities only to plugins that declare them", () => {
    const facts = Facts.ofFile({ ...chain, plugins: [{ type: "bridge" }, { type: "portmap" }] })
    const capabilityArgs = { portMappings: [{ hostPort: 80, containerPort: 80 }] }
    const lost = "error capabilities portmap 1:63 plugins[1]: no plugin of the chain declares the capability " +
      "portMappings: what --capability-args gives for it is lost"
    assert.deepStrictEqual(Facts.found(Checks.configuration, { ...facts, capabilityArgs }), [lost])
    assert.deepStrictEqual(Facts.found(Checks.configuration, { ...facts, capabilityArgs: { portMappings: [] } }), [])
  })

  it("declares capabilities by names that runtimes know", () => {
    assert.deepStrictEqual(
      found({ ...chain, plugins: [{ type: "bridge" }, { type: "portmap", capabilities: { portMapping: true } }] }),
      [
        "warning capabilities portmap 1:111 plugins[1].capabilities.portMapping: no runtime knows this capability: " +
        "did you mean portMappings?"
      ]
    )
  })
})

/** The messages about a configuration, each after its level. */
const messages = (config: object): ReadonlyArray<string> =>
  found(config).map((line) => line.replace(/^(\S+) .*?\d:\d+ /, "$1 "))

describe("what stands below ipam", () => {
  const withCaller = (type: string, ipam: object) => one({ type, ipam: { type: "host-local", ...ipam } })

  it("of a plugin that is not known to hand it on is not read as host-local would", () => {
    for (const type of ["antrea", "my-own", "flannel", "azure-vnet"]) {
      assert.deepStrictEqual(messages(withCaller(type, {})), [], type)
      assert.deepStrictEqual(messages(withCaller(type, { subnet: "from-the-agent", rangeStrat: 1 })), [], type)
    }
    assert.deepStrictEqual(messages(withCaller("bridge", {})), [
      "error plugins[0].ipam: no range of addresses: found neither subnet nor ranges"
    ])
  })

  it("of calico may name the node's subnet, in any case, and a gateway that calico does not use", () => {
    for (const subnet of ["usePodCidr", "UsePodCIDR", "usePodCidrIPv6"]) {
      assert.deepStrictEqual(messages(withCaller("calico", { subnet })), [], subnet)
      assert.deepStrictEqual(messages(withCaller("calico", { ranges: [[{ subnet }]] })), [], subnet)
      assert.lengthOf(messages(withCaller("bridge", { subnet })), 1, subnet)
    }
    const ipam = { subnet: "10.1.0.0/24", gateway: "10.2.0.1" }
    assert.deepStrictEqual(messages(withCaller("calico", ipam)), [])
    assert.lengthOf(messages(withCaller("bridge", ipam)), 1)
    assert.lengthOf(messages(withCaller("calico", { subnet: "10.1.0.0" })), 1)
  })

  it("has no sets of ranges with addresses in common", () => {
    const ranges = (...sets: ReadonlyArray<ReadonlyArray<object>>) => messages(withRanges({ ranges: sets }))
    const overlaps = (range: string, other: string) =>
      `the range ${range} overlaps with ${other} of another set: host-local refuses both`
    assert.deepStrictEqual(ranges([{ subnet: "10.7.0.0/16" }], [{ subnet: "10.7.9.0/24" }]), [
      `error plugins[0].ipam.ranges[1][0]: ${overlaps("10.7.9.1-10.7.9.254", "10.7.0.1-10.7.255.254")}`
    ])
    assert.deepStrictEqual(
      ranges([{ subnet: "10.7.0.0/24", rangeEnd: "10.7.0.9" }], [{ subnet: "10.7.0.0/24", rangeStart: "10.7.0.10" }]),
      []
    )
    assert.deepStrictEqual(ranges([{ subnet: "10.7.0.0/24" }], [{ subnet: "fd00::/64" }]), [])
    assert.deepStrictEqual(messages(withRanges({ subnet: "10.7.0.0/24", ranges: [[{ subnet: "10.7.0.0/24" }]] })), [
      `error plugins[0].ipam.ranges[0][0]: ${overlaps("10.7.0.1-10.7.0.254", "10.7.0.1-10.7.0.254")}`
    ])
  })

  it("of static may have no addresses, which is a note: attachments bring theirs", () => {
    assert.deepStrictEqual(messages(one({ type: "bridge", ipam: { type: "static" } })), [
      "note plugins[0].ipam: no addresses, so each attachment must bring its own through IP= in CNI_ARGS"
    ])
  })
})

describe("the configuration of a delegate", () => {
  const multus = (delegates: unknown, more: object = {}) => one({ type: "multus", delegates, ...more })

  it("of flannel is read as that of a bridge, but for its ipam", () => {
    assert.deepStrictEqual(
      messages(one({ type: "flannel", delegate: { hairpinMode: "yes", isDefaultGatway: true } })),
      [
        `error plugins[0].delegate.hairpinMode: found "yes", expected true or false`,
        "warning plugins[0].delegate.isDefaultGatway: the plugin does not know this field: did you mean isDefaultGateway?"
      ]
    )
    assert.deepStrictEqual(
      messages(one({ type: "flannel", delegate: { type: "ptp", ipam: { type: "host-local" } } })),
      ["warning plugins[0].delegate.ipam: found a field that flannel sets itself and rejects here"]
    )
    assert.deepStrictEqual(messages(one({ type: "flannel", delegate: "bridge" })), [
      `error plugins[0].delegate: found "bridge", expected an object: the configuration of one plugin`
    ])
  })

  it("of Multus is read as one of its own, alone or as a list, with its ipam", () => {
    const bridge = { type: "bridge", mtu: "1500", ipam: { type: "host-local" } }
    const problems = (at: string) => [
      `error ${at}.mtu: found "1500", expected a whole number from 0 to 2147483647, without quotes`,
      `error ${at}.ipam: no range of addresses: found neither subnet nor ranges`
    ]
    assert.deepStrictEqual(messages(multus([bridge])), problems("plugins[0].delegates[0]"))
    assert.deepStrictEqual(
      messages(multus([{ name: "pods", plugins: [{ type: "loopback" }, bridge] }])),
      problems("plugins[0].delegates[0].plugins[1]")
    )
    assert.deepStrictEqual(messages(multus([{ name: "n" }])), [
      "error plugins[0].delegates[0].type: found \"\", expected the name of a plugin, which is a file on the CNI path"
    ])
    assert.deepStrictEqual(messages(multus({}, { clusterNetwork: {} })), [
      "error plugins[0].delegates: found an object, expected a list of objects: configurations of plugins, or lists " +
      "with plugins",
      "error plugins[0].clusterNetwork: found an object, expected a string: a network, or the path of a file"
    ])
  })

  it("has plugins that have to be there", () => {
    const facts = Facts.ofFile(multus([{ type: "brigde" }]))
    const brigde = { type: "brigde", candidates: [], file: undefined, isExecutable: false, format: undefined }
    const plugins = new Map([Facts.plugin("multus"), Facts.plugin("brigde", { ...brigde, versions: undefined })])
    assert.include(
      Facts.found(Checks.plugins, { ...facts, plugins, cniPath: ["/opt/cni/bin"], known: ["bridge", "multus"] })[0],
      "error plugin-file brigde 1:83"
    )
  })
})

describe("a single plugin", () => {
  it("may work on the prevResult that its own file has", () => {
    const bandwidth = { cniVersion: "0.4.0", name: "n", type: "bandwidth", ingressRate: 64000, ingressBurst: 1280 }
    const prevResult = { cniVersion: "0.4.0", interfaces: [{ name: "veth0" }], ips: [] }
    const about = (config: object) => found(JSON.stringify(config), "/etc/cni/net.d/n.conf")
    assert.deepStrictEqual(about({ ...bandwidth, prevResult }), [])
    assert.include(about(bandwidth)[0], "bandwidth stands first")
  })
})

describe("what plugins refuse of a whole configuration", () => {
  it("is a host-device without a device, unless the runtime names it", () => {
    assert.deepStrictEqual(messages(one({ type: "host-device" })), [
      "error plugins[0].type: host-device has no device: found none of device, hwaddr, kernelpath, pciBusID"
    ])
    assert.deepStrictEqual(messages(one({ type: "host-device", pciBusID: "0000:3d:00.1" })), [])
    assert.deepStrictEqual(messages(one({ type: "host-device", capabilities: { deviceID: true } })), [])
  })

  it("is a bridge without ipam, where results have to have an address", () => {
    const bridge = (cniVersion: string, more: object = {}) =>
      messages({ cniVersion, name: "n", plugins: [{ type: "bridge", ...more }] })
    assert.deepStrictEqual(bridge("0.2.0"), [
      `error plugins[0].type: bridge without "ipam" has no address, and a result of version 0.2.0 must have one`
    ])
    assert.deepStrictEqual(bridge("0.3.0"), [])
    assert.deepStrictEqual(bridge("0.2.0", { ipam: { type: "host-local", subnet: "10.1.0.0/24" } }), [])
  })

  it("is, by older runtimes, a switch in quotes", () => {
    const switched = (disableCheck: unknown) => messages({ ...chain, disableCheck })
    assert.deepStrictEqual(switched("true"), [
      "warning disableCheck: found the string \"true\", expected true without quotes: runtimes with libcni before 1.3 " +
      "refuse the file"
    ])
    assert.deepStrictEqual(switched(true), [])
  })
})

describe("bandwidth", () => {
  it("drops packets that are larger than its burst", () => {
    const limited = (ingressBurst: number, mtu = 1500) =>
      messages({ ...chain, plugins: [{ type: "bridge", mtu }, { type: "bandwidth", ingressRate: 1e6, ingressBurst }] })
    assert.deepStrictEqual(limited(11_999), [
      "warning plugins[1].ingressBurst: found 11999 bits, less than one packet of 1500 bytes, so larger packets are " +
      "dropped"
    ])
    assert.deepStrictEqual(limited(12_000), [])
    assert.lengthOf(limited(12_000, 9000), 1)
  })
})

describe("a version that is none", () => {
  it("is mended by one that all plugins here speak", () => {
    const facts = Facts.ofFile({ ...chain, cniVersion: "9.9.9" })
    const plugins = new Map([Facts.plugin("bridge"), Facts.plugin("passthrough")])
    const [finding] = Check.examine(Checks.configuration, { ...facts, plugins }).findings
    assert.strictEqual(finding?.fix.text, "set \"cniVersion\" to one of 0.4.0, 1.0.0")
  })
})

describe("ports that a runtime asks for", () => {
  const published = (type: string) => {
    const facts = Facts.ofFile(one({ type }))
    const attachment = {
      ...Host.attachment(),
      capabilityArgs: { portMappings: [{ hostPort: 80, containerPort: 80 }] }
    }
    return Facts.found(Checks.configuration, { ...facts, attachments: [attachment] })
  }

  it("are lost where no plugin declares them, unless one may publish them itself", () => {
    assert.include(published("bridge")[0], "no plugin of the chain declares the capability portMappings")
    assert.deepStrictEqual(published("cilium-cni"), [])
  })
})
