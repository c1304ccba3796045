/** `cni-passthrough doctor` on real networks: broken ones, each with what it must say first, and healthy ones. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Checks from "../../src/doctor/Checks.ts"
import { describeWith } from "../support/requirements.ts"
import * as Networks from "./support/networks.ts"
import * as Sandbox from "./support/sandbox.ts"

const routes = [{ dst: "0.0.0.0/0" }]
const ipam = (fields: object = {}) => ({
  type: "host-local",
  ranges: [[{ subnet: "10.99.0.0/24" }]],
  routes,
  ...fields
})
const bridge = { type: "bridge", bridge: "cni-n", isGateway: true, ipMasq: true, ipam: ipam() }
/** The same, whose containers reach themselves by their published ports too. */
const bridgeOfPorts = { ...bridge, hairpinMode: true }
const ptp = { type: "ptp", ipMasq: true, ipam: ipam() }
const macvlan = {
  type: "macvlan",
  master: "uplink",
  ipam: {
    ...ipam({ ranges: [[{ subnet: "192.0.2.0/24", rangeStart: "192.0.2.50", gateway: "192.0.2.2" }]] }),
    routes: []
  }
}
const ofTwoFamilies = ipam({
  ranges: [[{ subnet: "10.99.0.0/24" }], [{ subnet: "fd99::/64" }]],
  routes: [...routes, { dst: "::/0" }]
})
const portmap = { type: "portmap", capabilities: { portMappings: true } }
const firewall = { type: "firewall" }
const tap = { type: "passthrough" }

const list = (...plugins: ReadonlyArray<object>) => ({ cniVersion: "1.0.0", name: "n", plugins })

/** The file of the network n with these plugins. */
const of = (...plugins: ReadonlyArray<object>) => ({ "10-n.conflist": list(...plugins) })

/** A bridge with another part in it, and the same with another `ipam`. */
const bridgeWith = (fields: object) => of({ ...bridge, ...fields })
const ipamWith = (fields: object) => bridgeWith({ ipam: ipam(fields) })

/** One that was fine and is attached, and what is done to it then. */
const attached = (script: string, files: Networks.Network["files"] = of(bridge), before = "attach web") => ({
  files,
  script: `${before}\n${script}`
})

const text = JSON.stringify(list(bridge), undefined, 2)

interface Broken extends Networks.Network {
  /** The finding that comes first. `plugin` is the one to blame, and left out where it is the host. */
  readonly first: {
    readonly check: string
    readonly plugin?: string
    readonly level: string
    readonly message: RegExp
  }
}

const own = (check: string, plugin: string | undefined, message: RegExp, level = "error") => ({
  first: { check, ...(plugin === undefined ? {} : { plugin }), message, level }
})

const configuration: { readonly [name: string]: Broken } = {
  "a trailing comma": {
    files: { "10-n.conflist": text.replace(/\}\s*\]\s*\}$/, "},]}") },
    ...own("json", undefined, /trailing comma/),
    mend: "edit 's/},]}/}]}/'"
  },
  "a comment": {
    files: { "10-n.conflist": text.replace("{", "{ // mine\n") },
    ...own("json", undefined, /a comment/),
    mend: "edit 's/ [/][/] mine//'"
  },
  "a byte-order mark": {
    files: { "10-n.conflist": `\uFEFF${text}` },
    ...own("json", undefined, /byte-order mark/),
    isMended: true
  },
  "a quote that is missing": {
    files: { "10-n.conflist": text.replace(`"cni-n"`, `"cni-n`) },
    ...own("json", undefined, /closing quote/),
    mend: "says \"correct the text at this place\"; edit 's/\"cni-n/\"cni-n\"/'"
  },
  "no name": {
    files: { "10-n.conflist": { ...list(bridge), name: undefined } },
    ask: "/etc/cni/net.d/10-n.conflist",
    ...own("specification", undefined, /^name: found nothing/),
    mend: "edit 's/\"plugins\"/\"name\":\"n\",\"plugins\"/'"
  },
  "a name with a blank": {
    files: { "10-n.conflist": { ...list(bridge), name: "my net" } },
    ask: "/etc/cni/net.d/10-n.conflist",
    ...own("specification", undefined, /^name: found "my net"/),
    mend: "says 'correct \"name\"'; edit 's/my net/n/'"
  },
  "a version that nobody knows": {
    files: { "10-n.conflist": { ...list(bridge, portmap, firewall), cniVersion: "3.0.0" } },
    ...own("specification", undefined, /^cniVersion: found "3.0.0"/),
    mend: "edit 's/3.0.0/1.0.0/'"
  },
  "no plugins": {
    files: { "10-n.conflist": list() },
    ...own("specification", undefined, /^plugins: found an empty list/),
    mend: `says 'correct "plugins"'; ${Networks.write(of(bridge))}`
  },
  "a field of the list that is misspelt": {
    files: { "10-n.conflist": { ...list(bridge), disableChek: true } },
    ...own("specification", undefined, /did you mean disableCheck/, "warning"),
    mend: "rename"
  },
  "a plugin without a type": {
    files: of(bridge, { capabilities: {} }),
    ...own("specification", undefined, /^plugins\[1\]\.type: found nothing/),
    mend: "says 'correct \"type\"'; edit 's/{\"capabilities\"/{\"type\":\"portmap\",\"capabilities\"/'"
  },
  "a key that is there twice": {
    files: { "10-n.conflist": text.replace(`"isGateway"`, `"mtu": 1400, "mtu": 1450, "isGateway"`) },
    ...own("duplicate-keys", undefined, /the key "mtu" is there twice/, "warning"),
    mend: "says 'remove \"mtu\" in line 8 or in line 8'; edit 's/\"mtu\": 1400, //'"
  },
  "a file before it that is not JSON": {
    files: { "05-x.conflist": "{", ...of(bridge) },
    ...own("folder", undefined, /05-x\.conflist stands before 10-n\.conflist/),
    mend: "rm /etc/cni/net.d/05-x.conflist"
  },
  "its name in two files": {
    files: { ...of(bridge), "20-m.conflist": list({ ...bridge, bridge: "cni-m" }) },
    ...own("folder", undefined, /in two files: 10-n\.conflist is used, and 20-m\.conflist is shadowed/, "warning"),
    mend: "rm /etc/cni/net.d/20-m.conflist"
  },
  "a file before it whose network Kubernetes takes": {
    files: {
      ...of(bridge),
      "20-m.conflist": {
        ...list({ ...bridge, bridge: "cni-m", ipam: ipam({ ranges: [[{ subnet: "10.98.0.0/24" }]] }) }),
        name: "m"
      }
    },
    script: "ip netns add web; cni-passthrough run add n --netns web --container-id web " +
      "--args 'IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web' > /dev/null",
    ask: "m",
    ...own(
      "folder",
      undefined,
      /"m" is never used by a runtime that takes the first file, .*: 10-n.conflist/,
      "warning"
    ),
    mend: "says 'if m is the one to use'; rm /etc/cni/net.d/10-n.conflist"
  },
  "a list in a file for one plugin": {
    files: { "10-n.conf": list(bridge) },
    ...own("file-name", undefined, /found a list of plugins, expected one plugin/),
    isMended: true
  },
  "one plugin in a file for a list": {
    files: { "10-n.conflist": { cniVersion: "1.0.0", name: "n", ...bridge } },
    ...own("file-name", undefined, /found one plugin, expected a list/),
    isMended: true
  },
  "a field of the tap in lower case": {
    files: of(bridge, { ...tap, logfile: "/tmp/x" }),
    ...own("field-names", "passthrough", /logfile: .*did you mean logFile/, "warning"),
    mend: "edit 's/logfile/logFile/'"
  },
  "a hook in mixed case": {
    files: of(bridge, { ...tap, hookAdd: ["true"] }),
    ...own("field-names", "passthrough", /hookAdd: .*did you mean hookADD/, "warning"),
    mend: "rename"
  },
  "a field of the tap of the wrong type": {
    files: of(bridge, { ...tap, hookADD: "true" }),
    ...own("plugin-fields", "passthrough", /hookADD: found "true", expected a list of commands/),
    mend: "says \"correct the value\"; edit 's/:\"true\"/:[\"true\"]/'"
  },
  "a field of bridge that is misspelt": {
    files: bridgeWith({ hairpinmod: true }),
    ...own("field-names", "bridge", /did you mean hairpinMode/, "warning"),
    mend: "edit 's/hairpinmod/hairpinMode/'"
  },
  "an mtu in quotes": {
    files: bridgeWith({ mtu: "1500" }),
    ...own("plugin-fields", "bridge", /mtu: found "1500"/),
    mend: "edit 's/\"1500\"/1500/'"
  },
  "a boolean in quotes": {
    files: bridgeWith({ isGateway: "true" }),
    ...own("plugin-fields", "bridge", /isGateway: found "true"/),
    mend: "edit 's/\"true\"/true/'"
  },
  "a vlan out of range": {
    files: bridgeWith({ vlan: 5000 }),
    ...own("plugin-fields", "bridge", /vlan: found 5000/),
    mend: "says \"correct the value\"; edit 's/5000/50/'"
  },
  "a bridge with a name that is too long": {
    files: bridgeWith({ bridge: "a-very-long-bridge-name" }),
    ...own("plugin-fields", "bridge", /at most 15 bytes/),
    mend: "edit 's/a-very-long-bridge-name/cni-n/'"
  },
  "hairpin and promiscuous mode": {
    files: bridgeWith({ hairpinMode: true, promiscMode: true }),
    ...own("chain-order", "bridge", /refuses hairpinMode and promiscMode/),
    mend: "says 'remove \"hairpinMode\"'; edit 's/\"hairpinMode\":true,//'"
  },
  "two ways of portmap to mark": {
    files: of(bridge, { ...portmap, externalSetMarkChain: "KUBE-MARK-MASQ", markMasqBit: 13 }),
    ...own("chain-order", "portmap", /refuses externalSetMarkChain and markMasqBit/),
    mend: "says 'remove \"externalSetMarkChain\" or \"markMasqBit\"'; edit 's/,\"markMasqBit\":13//'"
  },
  "a mode that macvlan does not have": {
    files: of({ ...macvlan, mode: "brigde" }),
    ...own("plugin-fields", "macvlan", /mode: found "brigde"/),
    mend: "edit 's/brigde/bridge/'"
  },
  "a switch of portmap in quotes": {
    files: of(bridge, { ...portmap, snat: "yes" }),
    ...own("plugin-fields", "portmap", /snat: found "yes"/),
    mend: "says \"correct the value\"; edit 's/\"yes\"/true/'"
  },
  "a policy that firewall does not have": {
    files: of(bridge, { ...firewall, ingressPolicy: "closed" }),
    ...own("plugin-fields", "firewall", /ingressPolicy: found "closed"/),
    mend: "says \"correct the value\"; edit 's/closed/open/'"
  },
  "a backend that firewall passes over": {
    files: of(bridge, { ...firewall, backend: "nftables" }),
    ...own("plugin-fields", "firewall", /backend: found "nftables"/, "warning"),
    mend: "edit 's/nftables/iptables/'"
  },
  "a sysctl that tuning refuses": {
    files: of(bridge, { type: "tuning", sysctl: { "kernel.pid_max": "1" } }),
    ...own("plugin-fields", "tuning", /"kernel\.pid_max"/),
    mend: "says \"correct the value\"; edit 's/kernel.pid_max/net.core.somaxconn/'"
  },
  "a rate in quotes": {
    files: of(bridge, { type: "bandwidth", ingressRate: "1M" }),
    ...own("plugin-fields", "bandwidth", /ingressRate: found "1M"/),
    mend: "says \"correct the value\"; edit 's/\"1M\"/1000000,\"ingressBurst\":1000000/'"
  },
  "ranges that are flat": {
    files: ipamWith({ ranges: [{ subnet: "10.99.0.0/24" }] }),
    ...own("plugin-fields", "host-local", /\[\[\{ "subnet": … \}\]\]/),
    mend: "edit 's/:.{\"subnet\":\"10.99.0.0.24\"}./:[[{\"subnet\":\"10.99.0.0\\/24\"}]]/'"
  },
  "a subnet without a length": {
    files: ipamWith({ ranges: [[{ subnet: "10.99.0.0" }]] }),
    ...own("plugin-fields", "host-local", /subnet: found "10\.99\.0\.0"/),
    mend: "says \"correct the value\"; edit 's/10.99.0.0\"/10.99.0.0\\/24\"/'"
  },
  "a gateway outside its subnet": {
    files: ipamWith({ ranges: [[{ subnet: "10.99.0.0/24", gateway: "10.98.0.1" }]] }),
    ...own("addressing", "host-local", /10\.98\.0\.1 is not in the subnet/),
    mend: "edit 's/10.98.0.1/10.99.0.1/'"
  },
  "a subnet with bits of a host": {
    files: ipamWith({ ranges: [[{ subnet: "10.99.0.7/24" }]] }),
    ...own("addressing", "host-local", /expected the subnet 10\.99\.0\.0\/24/),
    mend: "edit 's/10.99.0.7/10.99.0.0/'"
  },
  "a subnet with one address": {
    files: ipamWith({ ranges: [[{ subnet: "10.99.0.0/31" }]] }),
    ...own("addressing", "host-local", /10\.99\.0\.0\/31 is too small/),
    mend: "says 'use a larger subnet'; edit 's/10.99.0.0.31/10.99.0.0\\/24/'"
  },
  "the address of its subnet as gateway": {
    files: ipamWith({ ranges: [[{ subnet: "10.99.0.0/24", gateway: "10.99.0.0" }]] }),
    ...own("addressing", "host-local", /10\.99\.0\.0 is the address of the subnet itself/),
    mend: "says 'set \"gateway\" to another address in 10.99.0.0/24'; edit 's/\"10.99.0.0\"/\"10.99.0.1\"/'"
  },
  "ranges of one set that overlap": {
    files: of({ ...ptp, ipam: ipam({ ranges: [[{ subnet: "10.99.0.0/16" }, { subnet: "10.99.5.0/24" }]] }) }),
    ...own("addressing", "host-local", /the range overlaps with another of its set/),
    mend: "says 'remove one'; edit 's/,{\"subnet\":\"10.99.5.0.24\"}//'"
  },
  "a range that starts outside": {
    files: ipamWith({ ranges: [[{ subnet: "10.99.0.0/24", rangeStart: "10.99.1.5" }]] }),
    ...own("addressing", "host-local", /rangeStart: 10\.99\.1\.5 is not in/),
    mend: "says 'set \"rangeStart\" to an address in 10.99.0.0/24'; edit 's/10.99.1.5/10.99.0.5/'"
  },
  "a range the wrong way round": {
    files: ipamWith({ ranges: [[{ subnet: "10.99.0.0/24", rangeStart: "10.99.0.9", rangeEnd: "10.99.0.5" }]] }),
    ...own("addressing", "host-local", /after the end of the range/),
    mend: "says \"swap them\"; edit 's/10.99.0.9/x/; s/10.99.0.5/10.99.0.9/; s/\"x\"/\"10.99.0.5\"/'"
  },
  "both families in one set": {
    files: ipamWith({ ranges: [[{ subnet: "10.99.0.0/24" }, { subnet: "fd99::/64" }]] }),
    ...own("addressing", "host-local", /both families in one set/),
    mend: "says \"write [[IPv4], [IPv6]]\"; edit 's/},{\"subnet\":\"fd99/}],[{\"subnet\":\"fd99/'"
  },
  "no range": {
    files: bridgeWith({ ipam: { type: "host-local", routes } }),
    ...own("addressing", "host-local", /no range of addresses/),
    mend:
      "says 'add \"ranges\": [[{ \"subnet\": \u2026 }]]'; edit 's/\"host-local\"/\"host-local\",\"ranges\":[[{\"subnet\":\"10.99.0.0\\/24\"}]]/'"
  },
  "a route over a gateway elsewhere": {
    files: ipamWith({ routes: [{ dst: "0.0.0.0/0", gw: "192.168.9.1" }] }),
    ...own("addressing", "host-local", /192\.168\.9\.1 is in no subnet/),
    mend: "edit 's/192.168.9.1/10.99.0.1/'"
  },
  "a resolv.conf that is not there": {
    files: ipamWith({ resolvConf: "/etc/no-such-resolv.conf" }),
    ...own("addressing", "host-local", /no file \/etc\/no-such-resolv\.conf/),
    mend: "says \"name an existing file\"; touch /run/resolv.conf; edit 's:/etc/no-such-resolv.conf:/run/resolv.conf:'"
  },
  "two gateways for one bridge": {
    files: ipamWith({ ranges: [[{ subnet: "10.99.0.0/24" }], [{ subnet: "10.97.0.0/24" }]] }),
    ...own("bridge-gateways", "bridge", /found 2 gateways of IPv4/),
    mend: "says \"use ranges of one subnet\"; edit 's/,.{\"subnet\":\"10.97.0.0.24\"}.//'"
  },
  "two default routes": {
    files: bridgeWith({ isDefaultGateway: true }),
    ...own("bridge-gateways", "bridge", /isDefaultGateway adds a default route/),
    mend: "edit 's/{\"dst\":\"0.0.0.0.0\"}//'"
  },
  "a masquerade that no packet comes to": {
    files: ipamWith({ routes: [] }),
    ...own("unused-masquerade", "bridge", /there is nothing to masquerade/, "warning"),
    mend: "edit 's/\"ipMasq\":true/\"ipMasq\":false/'"
  },
  "static without an address": {
    files: bridgeWith({ ipam: { type: "static", routes } }),
    ...own("addressing", "static", /no addresses/, "note"),
    mend: "says 'add \"addresses\"'; edit 's/\"static\"/\"static\",\"addresses\":[{\"address\":\"10.99.0.5\\/24\"}]/'"
  },
  "static with a gateway elsewhere": {
    files: bridgeWith({
      ipam: { type: "static", addresses: [{ address: "10.99.0.5/24", gateway: "10.98.0.1" }], routes }
    }),
    ...own("addressing", "static", /10\.98\.0\.1 is not in the subnet/),
    mend: "says 'set \"gateway\" to an address in 10.99.0.0/24'; edit 's/10.98.0.1/10.99.0.1/'"
  },
  "portmap before bridge": {
    files: of(portmap, bridge),
    ...own("chain-order", "portmap", /stands first/),
    mend: `says "put it after bridge"; ${Networks.write(of(bridge, portmap))}`
  },
  "two plugins that make eth0": {
    files: of(bridge, macvlan),
    ...own("chain-order", "macvlan", /bridge has made already/),
    mend: `says "remove macvlan from this network, and give it one of its own"
${Networks.write({ ...of(bridge), "20-m.conflist": { ...list(macvlan), name: "m" } })}`
  },
  "ptp without addresses": {
    files: of({ type: "ptp" }),
    ...own("chain-order", "ptp", /ptp needs addresses/),
    mend: `says 'add "ipam": { "type": "host-local", … }'; ${Networks.write(of(ptp))}`
  },
  "a capability that nobody declares": {
    files: of(bridge, { type: "portmap" }),
    script: "attach web \"$(port 8080)\"",
    ...own("capabilities", "portmap", /declares the capability portMappings/),
    mend: `says 'add "capabilities": { "portMappings": true } to portmap, and attach the containers anew'
${Networks.write(of(bridgeOfPorts, portmap))}
again web "$(port 8080)"`
  },
  "a capability that is given and not taken": {
    files: of(bridge),
    ask: `n --capability-args '{"portMappings":[{"hostPort":80,"containerPort":80}]}'`,
    ...own("capabilities", undefined, /declares the capability portMappings/),
    mend: `says 'add { "type": "portmap", "capabilities": { "portMappings": true } } to the chain'
${Networks.write(of(bridge, portmap))}`
  },
  "a capability that is misspelt": {
    files: of(bridge, { type: "portmap", capabilities: { portMapping: true } }),
    ...own("capabilities", "portmap", /did you mean portMappings/, "warning"),
    mend: "edit 's/portMapping\"/portMappings\"/'"
  },
  "no files at all": {
    files: {},
    ask: "",
    ...own("network-found", undefined, /no network configuration in \/etc\/cni\/net\.d/),
    mend: `says "put a .conflist into /etc/cni/net.d"; ${Networks.write(of(bridge))}`
  },
  "another name than the one that is asked for": {
    files: { "10-x.conflist": { ...list(bridge), name: "pods" } },
    ask: "pod",
    ...own("network-found", undefined, /did you mean pods/),
    mend: "says \"or rename the network\"; sed -i 's/\"pods\"/\"pod\"/' /etc/cni/net.d/10-x.conflist"
  }
}

const script = (words: string) => `#!/bin/sh\n${words}\n`

/** Puts a plugin that works into the place of one that does not, as the finding says. */
const install = (type: string, from = type, words = `install the plugin ${type}`) =>
  `says "${words}"; plugins; rm -rf /run/plugins/${type}; cp /usr/lib/cni/${from} /run/plugins/${type}`

const servedByDhcp = {
  files: bridgeWith({ isGateway: false, ipMasq: false, ipam: { type: "dhcp" } }),
  script: "/usr/lib/cni/dhcp daemon & until [ -e /run/cni/dhcp.sock ]; do sleep 0.1; done"
}

const plugins: { readonly [name: string]: Broken } = {
  "a plugin that is missing": {
    files: of(bridge, { type: "acme" }),
    ...own("plugin-file", "acme", /acme is not in/),
    mend: install("acme", "firewall")
  },
  "an IPAM plugin that is missing": {
    files: bridgeWith({ ipam: { type: "whereabouts" } }),
    ...own("plugin-file", "whereabouts", /whereabouts is not in/),
    mend: install("whereabouts", "host-local")
  },
  "a type that is misspelt": {
    files: of({ ...bridge, type: "brigde" }),
    ...own("plugin-file", "brigde", /did you mean bridge/),
    mend: "edit 's/brigde/bridge/'"
  },
  "an IPAM type that is misspelt": {
    files: bridgeWith({ ipam: ipam({ type: "hostlocal" }) }),
    ...own("plugin-file", "hostlocal", /did you mean host-local/),
    mend: "edit 's/hostlocal/host-local/'"
  },
  "a hook that the policy of the host forbids": {
    files: of(bridge, { ...tap, hookADD: ["true"] }),
    script: "plugins; cp /opt/cni/bin/passthrough /run/plugins; " +
      "(umask 022; echo '{\"hooks\":false}' > /run/plugins/passthrough.policy.json)",
    ...own("policy", "passthrough", /hookADD: commands are forbidden by \/run\/plugins\/passthrough\.policy\.json/),
    mend: "says 'remove the field'; edit 's/,\"hookADD\":.\"true\".//'"
  },
  "a parent that is a port of a bridge": {
    files: of(macvlan),
    script: "ip link add br9 type bridge; ip link set uplink master br9",
    ...own("master-link", "macvlan", /the link uplink is a port of br9, so macvlan cannot stand on it/),
    mend: "says 'or take uplink out of it'; ip link set uplink nomaster"
  },
  "a plugin without its execute bit": {
    files: of(bridge),
    script: "plugin bridge x; cp /usr/lib/cni/bridge /run/plugins; chmod -x /run/plugins/bridge",
    ...own("plugin-file", "bridge", /no execute bit/),
    isMended: true
  },
  "a folder in the place of a plugin": {
    files: of(bridge, { type: "mine" }),
    script: "plugins; mkdir /run/plugins/mine",
    ...own("plugin-file", "mine", /is a folder/),
    mend: install("mine", "firewall")
  },
  "a link to nothing in the place of a plugin": {
    files: of(bridge, { type: "mine" }),
    script: "plugins; ln -s nothing /run/plugins/mine",
    ...own("plugin-file", "mine", /symbolic link/),
    mend: install("mine", "firewall")
  },
  "a plugin that is empty": {
    files: of(bridge, portmap),
    script: "plugin portmap ''",
    ...own("plugin-file", "portmap", /is empty/),
    mend: install("portmap")
  },
  "a plugin that is a web page": {
    files: of(bridge),
    script: "plugin bridge '<html>404'",
    ...own("plugin-file", "bridge", /neither a program nor a script/),
    mend: install("bridge")
  },
  "a plugin for another processor": {
    files: of(bridge),
    script:
      "plugin bridge x; cp /usr/lib/cni/bridge /run/plugins; printf '\\363\\000' | dd of=/run/plugins/bridge bs=1 seek=18 conv=notrunc 2>/dev/null",
    ...own("plugin-file", "bridge", /is for riscv/),
    mend: install("bridge")
  },
  "a script whose interpreter is missing": {
    files: of(bridge),
    script: `plugin bridge '#!/usr/bin/no-such-shell\n'`,
    ...own("plugin-file", "bridge", /needs \/usr\/bin\/no-such-shell/),
    mend: install("bridge", "bridge", "or a plugin that does not need it")
  },
  "a plugin that fails VERSION": {
    files: of(bridge),
    script: `plugin bridge '${script("echo no library >&2; exit 127")}'`,
    ...own("plugin-version", "bridge", /exit status 127: no library/),
    mend: install("bridge")
  },
  "a plugin that answers VERSION with words": {
    files: of(bridge),
    script: `plugin bridge '${script("echo hello")}'`,
    ...own("plugin-version", "bridge", /no list of versions/),
    mend: install("bridge")
  },
  "a plugin that hangs": {
    files: of(bridge),
    script: `plugin bridge '${script("sleep 600")}'`,
    ask: "n --timeout 3s",
    ...own("plugin-version", "bridge", /did not end within 3 s/),
    mend: install("bridge")
  },
  "a plugin that forks and goes": {
    files: of(bridge),
    script: `plugin bridge '${script("sleep 600 & exit 0")}'`,
    ask: "n --timeout 3s",
    ...own("plugin-version", "bridge", /did not end within 3 s/),
    mend: install("bridge")
  },
  "a plugin that prints without end": {
    files: of(bridge),
    script: `plugin bridge '${script("exec yes")}'`,
    ask: "n --timeout 3s",
    ...own("plugin-version", "bridge", /did not end within 3 s/),
    mend: install("bridge")
  },
  "a version that plugins do not speak": {
    files: { "10-n.conflist": { ...list(bridge, portmap), cniVersion: "1.1.0" } },
    ...own("plugin-version", "bridge", /speaks .*, and not 1\.1\.0/),
    mend: "edit 's/1[.]1[.]0/1.0.0/'"
  },
  "a kubeconfig of Multus that nothing wrote": {
    files: of({ type: "multus", kubeconfig: "/run/multus.kubeconfig", delegates: [bridge] }),
    script: `plugin multus '${script(`echo "{\\"cniVersion\\":\\"1.0.0\\",\\"supportedVersions\\":[\\"1.0.0\\"]}"`)}'`,
    ...own("plugin-files", "multus", /opens \/run\/multus\.kubeconfig, which is not there/, "warning"),
    mend: "says 'start the program that creates it'; touch /run/multus.kubeconfig"
  },
  "no iptables": {
    files: of(bridge, portmap),
    script: "PATH=/tmp/bin:/usr/bin:/bin; ! command -v iptables",
    ...own("plugin-tools", "bridge", /bridge needs iptables/),
    mend: "says \"give the runtime a PATH with its folder, such as /usr/sbin\"; PATH=$PATH:/usr/sbin"
  },
  "a master that is not there": {
    files: of({ ...macvlan, master: "eth9" }),
    ...own("master-link", "macvlan", /no link eth9/),
    mend: "says 'set \"master\" to a link that is there'; edit 's/eth9/uplink/'"
  },
  "a vlan without its master": {
    files: of({ type: "vlan", vlanId: 7, ipam: macvlan.ipam }),
    ...own("master-link", "vlan", /found no master/),
    mend: "says 'add \"master\"'; edit 's/\"vlanId\"/\"master\":\"uplink\",\"vlanId\"/'"
  },
  "no master, on a host without a way out": {
    files: of({ ...macvlan, master: undefined }),
    script: "ip route del default",
    ...own("master-link", "macvlan", /no default route that would tell one/),
    mend: "says 'add \"master\"'; edit 's/\"macvlan\"/\"macvlan\",\"master\":\"uplink\"/'"
  },
  "a master that is down": {
    files: of(macvlan),
    script: "ip link set uplink down",
    ...own("master-link", "macvlan", /uplink of the host is down/),
    isMended: true
  },
  "dhcp without its daemon": {
    files: of({ ...macvlan, ipam: { type: "dhcp" } }),
    ...own("dhcp-daemon", "dhcp", /no socket/),
    mend: "follow \"/usr/lib/cni/dhcp daemon\" & until [ -e /run/cni/dhcp.sock ]; do sleep 0.1; done"
  },
  "dhcp without its daemon, of another socket": {
    files: of({ ...macvlan, ipam: { type: "dhcp", daemonSocketPath: "/run/dhcp/cni.sock" } }),
    ...own("dhcp-daemon", "dhcp", /no socket \/run\/dhcp\/cni\.sock/),
    mend: "follow '/usr/lib/cni/dhcp daemon.*' & until [ -e /run/dhcp/cni.sock ]; do sleep 0.1; done"
  },
  "sysctls that nobody can set": {
    files: of(bridge),
    script: "mount --bind /proc/sys /proc/sys; mount -o remount,ro,bind /proc/sys",
    ...own("writable-sysctls", "bridge", /\/proc\/sys is mounted read-only, and bridge turns forwarding on/),
    isMended: true
  },
  "a bridge whose DHCP server cannot be anywhere": {
    ...servedByDhcp,
    ...own("dhcp-server", "dhcp", /no uplink is a port of it, and no program of the host listens on UDP port 67/),
    mend: "says 'ip link set LINK master cni-n'; ip link add cni-n type bridge; ip link set cni-n up; " +
      "ip link set uplink master cni-n"
  },
  "a bridge whose way to its DHCP server is down": {
    ...servedByDhcp,
    script: `${servedByDhcp.script}; ip link add cni-n up type bridge; ip link set uplink down master cni-n`,
    ...own("dhcp-server", "dhcp", /its uplink uplink is down/),
    isMended: true
  }
}

/** Files of host-local, as those leave them who are killed. */
const reserve = (address: string, id: string) =>
  `mkdir -p /var/lib/cni/networks/n; printf '${id}\\r\\neth0' > /var/lib/cni/networks/n/${address}`
const elsewhere = "says 'use a subnet that nothing else uses'; edit 's/10.99.0.0/10.77.0.0/'"
const small = ipamWith({ ranges: [[{ subnet: "10.99.0.0/29" }]] })

const addresses: { readonly [name: string]: Broken } = {
  "a range that living containers use up": {
    files: ipamWith({ ranges: [[{ subnet: "10.99.0.0/30" }]] }),
    script: "attach web",
    ...own(
      "range-exhausted",
      "host-local",
      /the only address of 10\.99\.0\.1-10\.99\.0\.2 \(10\.99\.0\.1 is the gateway\) is taken: the next/
    ),
    mend: "detach web; ip link del cni-n; edit 's/10.99.0.0.30/10.99.0.0\\/24/'; again web"
  },
  "a range that containers use up that are gone": {
    files: small,
    script: `attach web\nfor i in 3 4 5 6; do ${reserve("10.99.0.$i", "gone$i").replaceAll("'", "\"")}; done`,
    ...own("range-exhausted", "host-local", /4 of them by containers that are gone/),
    isMended: true
  },
  "an address of a container that is gone": {
    files: of(bridge),
    script: `attach web\n${reserve("10.99.0.77", "gone")}`,
    ...own("stale-reservations", "host-local", /10\.99\.0\.77 is reserved for gone/, "warning"),
    isMended: true
  },
  "a store that is a file": {
    files: of(bridge),
    script: "mkdir /var/lib/cni/networks; touch /var/lib/cni/networks/n",
    ...own("address-store", "host-local", /\/var\/lib\/cni\/networks\/n cannot be read/),
    isMended: true
  },
  "a store on a file system that is read-only": {
    files: of(bridge),
    script: "mount -t tmpfs -o ro tmpfs /var/lib/cni",
    ...own("address-store", "host-local", /\/var\/lib\/cni\/networks\/n cannot be written: read-only file system/),
    mend: "follow 'mount -o remount,rw .*'"
  },
  "a store on a disk that is full": {
    files: of(bridge),
    script: "mount -t tmpfs -o size=64k tmpfs /var/lib/cni; cat /dev/zero > /var/lib/cni/huge || true",
    ...own("address-store", "host-local", /\/var\/lib\/cni\/networks\/n cannot be written: no space left on device/),
    mend: "says \"df -hT /var/lib/cni;\"; rm /var/lib/cni/huge"
  },
  "a bridge of an older subnet": {
    files: of(bridge),
    script: "ip link add cni-n type bridge; ip addr add 10.55.0.1/24 dev cni-n; ip link set cni-n up",
    ...own("bridge-address", "bridge", /cni-n has the address 10\.55\.0\.1\/24, expected 10\.99\.0\.1\/24/),
    isMended: true
  },
  "a subnet that the host has": {
    files: of(bridge),
    script: "ip addr add 10.99.0.200/24 dev uplink",
    ...own("overlapping-subnets", "host-local", /overlaps with 10\.99\.0\.0\/24, which the host has on uplink/),
    mend: elsewhere
  },
  "a subnet that the host has since": {
    ...attached("ip addr add 10.99.0.200/24 dev uplink metric 50"),
    ...own("overlapping-subnets", "host-local", /overlaps with 10\.99\.0\.0\/24, which the host has on uplink/),
    mends: "overlapping-subnets",
    mend: `says ": detach the containers"; detach web; follow "ip link del cni-n"; ${elsewhere}; add web`
  },
  "a part of the subnet routed elsewhere": {
    files: of(bridge),
    script: "ip route add 10.99.0.128/25 dev uplink",
    ...own("overlapping-subnets", "host-local", /10\.99\.0\.128\/25/, "warning"),
    isMended: true
  },
  "a subnet that another network has": {
    files: { ...of(bridge), "20-m.conflist": { ...list({ ...bridge, bridge: "cni-m" }), name: "m" } },
    ...own("overlapping-subnets", "host-local", /of the network m/, "warning"),
    mend: elsewhere
  },
  "one address at two containers": {
    ...attached(
      "attach api; inside api ip addr del 10.99.0.3/24 dev eth0; inside api ip addr add 10.99.0.2/24 dev eth0"
    ),
    ask: "n --container-id web",
    ...own("duplicate-address", "host-local", /web and api both have the address|api and web both have/),
    isMended: true
  },
  "the address of its gateway at a container": {
    ...attached("inside web ip addr del 10.99.0.2/24 dev eth0; inside web ip addr add 10.99.0.1/24 dev eth0"),
    ...own("duplicate-address", "host-local", /web has the address 10\.99\.0\.1\/24, which the host has on cni-n/),
    isMended: true
  },
  "an address that the host has too": {
    ...attached("ip addr add 10.99.0.2/32 dev uplink"),
    ...own("duplicate-address", "host-local", /web has the address 10\.99\.0\.2\/32, which the host has on uplink/),
    isMended: true
  }
}

const containers: { readonly [name: string]: Broken } = {
  "an edit beside a living container": {
    ...attached("edit 's/\"ipMasq\":true/\"ipMasq\":false/'"),
    ...own("edited-since", undefined, /eth0 of web was attached before the network was edited/, "note"),
    mend: "says 'a container that is restarted gets the new configuration'; again web"
  },
  "a namespace that is gone": {
    ...attached("ip netns del web"),
    ask: "n --container-id web",
    ...own("namespace", undefined, /\/run\/netns\/web is gone/)
  },
  "a result in libcni's cache that was cut off": {
    ...attached("truncate -s 40 /var/lib/cni/results/n-web-eth0"),
    ...own("cache-entries", undefined, /cannot read .*\/n-web-eth0: it is not a JSON document, or is truncated/),
    mend: "follow 'rm .*'; again web"
  },
  // Without the processes of other hosts here, for one that speaks of the container would count as its life.
  "namespaces that are gone": {
    ...attached("ip netns del lost", bridgeWith({ ipMasq: false }), "attach lost"),
    ...own("namespace", undefined, /\/run\/netns\/lost is gone/, "warning"),
    isMended: true
  },
  "the namespace of the host": {
    ...attached("umount /run/netns/web; mount --bind /proc/self/ns/net /run/netns/web"),
    ...own("namespace", undefined, /is the namespace of the host itself/),
    mend: "says 'a network namespace of its own'; ip netns del web; ip netns add web; again web"
  },
  "a result that is broken": {
    ...attached("sed -i 's/\"ips\":/\"ips\":7,\"x\":/' /var/lib/cni/results/n-web-eth0"),
    ...own("cached-result", undefined, /the result of its ADD cannot be used/, "warning"),
    isMended: true
  },
  "a cache that is a file": {
    files: of(bridge),
    script: "touch /var/lib/cni/results",
    ...own("everything-seen", undefined, /some checks could not run/, "note"),
    mend: "says 'fix what is named above'; rm /var/lib/cni/results"
  },
  "a namespace that is a plain file": {
    ...attached("umount /run/netns/web"),
    ...own("namespace", undefined, /is not a network namespace/),
    mend:
      "says \"remove the file /run/netns/web, and start the container anew\"; rm /run/netns/web; ip netns add web; again web"
  },
  "a namespace that has an interface of this name already": {
    files: of(bridge),
    script: "ip netns add web; inside web ip link add eth0 type bridge",
    ask: "n --netns web",
    ...own("attachment-known", undefined, /the namespace \/run\/netns\/web has a link eth0 already/),
    mend: "says 'remove the link'; inside web ip link del eth0; add web"
  },
  "an attachment that nobody knows": {
    files: of(bridge),
    ask: "n --netns web",
    ...own("attachment-known", undefined, /^libcni's cache has no attachment of the namespace \/run\/netns\/web to n/),
    mend: "says \"attach it with cni-passthrough run add\"; ip netns add web; add web"
  },
  "no eth0": {
    ...attached("inside web ip link del eth0"),
    ...own("link", "bridge", /no such link/),
    isMended: true
  },
  "eth0 with another name": {
    ...attached("inside web ip link set eth0 down; inside web ip link set eth0 name eth7"),
    ...own("link", "bridge", /no such link/),
    isMended: true
  },
  "eth0 that is down": {
    ...attached("inside web ip link set eth0 down"),
    ...own("link-up", "bridge", /eth0 of web is down/),
    isMended: true
  },
  "no address": {
    ...attached("inside web ip addr flush dev eth0"),
    ...own("addresses", "bridge", /no address 10\.99\.0\.2\/24/),
    isMended: true
  },
  "no IPv6 address, because IPv6 is off in the container": {
    ...attached(
      "sleep 2.5; inside web sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1",
      bridgeWith({ ipam: ofTwoFamilies })
    ),
    ...own("addresses", "bridge", /has no address fd99:.*: IPv6 seems to be disabled on it/),
    isMended: true
  },
  "an address with another length": {
    ...attached("inside web ip addr del 10.99.0.2/24 dev eth0; inside web ip addr add 10.99.0.2/32 dev eth0"),
    ...own("addresses", "bridge", /has 10\.99\.0\.2\/32, expected 10\.99\.0\.2\/24/),
    isMended: true
  },
  "no default route": {
    ...attached("inside web ip route del default"),
    ...own("routes", "bridge", /no default route via 10\.99\.0\.1/),
    isMended: true
  },
  "a default route over another gateway": {
    ...attached("inside web ip route replace default via 10.99.0.9"),
    ...own("routes", "bridge", /goes via 10\.99\.0\.9/),
    isMended: true
  },
  "ports of its bridge that are isolated": {
    ...attached("attach api; for end in $(host_ends); do bridge link set dev $end isolated on; done"),
    ...own(
      "bridge-frames",
      "bridge",
      /2 containers of the bridge cni-n do not reach each other: their ports are isolated/
    ),
    isMended: true
  },
  "a check of its MAC address": {
    ...attached(
      "inside web ip neigh flush all; nft add table bridge fw; " +
        "nft add chain bridge fw c '{ type filter hook prerouting priority 0; }'; " +
        "nft add rule bridge fw c iifname $(host_end) ether saddr != 02:00:00:00:00:01 drop"
    ),
    ...own(
      "bridge-frames",
      undefined,
      /sends to its gateway is dropped by the chain c of the nftables table bridge fw/
    ),
    isMended: true
  },
  "a chain at the ingress of its link": {
    ...attached(
      "nft add table netdev fw; end=$(host_end); " +
        "nft add chain netdev fw c \"{ type filter hook ingress device $end priority 0; }\"; " +
        "nft add rule netdev fw c ip saddr 10.99.0.0/24 drop"
    ),
    ...own(
      "bridge-frames",
      undefined,
      /what eth0 of web sends is dropped by the chain c of the nftables table netdev fw/
    ),
    isMended: true
  },
  "a host that answers no ARP": {
    ...attached("inside web ip neigh flush all; ip neigh flush all; sysctl -qw net.ipv4.conf.all.arp_ignore=8"),
    ...own(
      "gateway-answers",
      "bridge",
      /10\.99\.0\.1 does not answer from inside: net\.ipv4\.conf\.all\.arp_ignore is 8/
    ),
    isMended: true
  },
  "neighbour solicitations that the host drops": {
    ...attached(
      "sleep 2.2; inside web ip -6 neigh flush all; ip6tables -P INPUT DROP; ip6tables -A INPUT -p tcp -j ACCEPT",
      bridgeWith({ ipam: ipam({ ranges: [[{ subnet: "fd99::/64" }]], routes: [{ dst: "::/0" }] }), ipMasq: false })
    ),
    ...own("gateway-answers", "bridge", /fd99::1 does not answer from inside: the policy of INPUT drops neighbour sol/),
    isMended: true
  },
  "its subnet among the addresses of the host": {
    ...attached("ip route add local 10.99.0.0/24 dev lo"),
    ...own("host-route", "bridge", /sends what is for 10\.99\.0\.2 to lo, expected cni-n/),
    isMended: true
  },
  "answers that leave by another interface": {
    ...attached(
      "cni-passthrough run add m --netns web --container-id web --ifname net1 > /dev/null",
      {
        ...of(bridge),
        "20-m.conflist": {
          ...list({ ...macvlan, ipam: { type: "static", addresses: [{ address: "192.0.2.50/24" }] } }, { type: "sbr" }),
          name: "m"
        }
      } as never
    ),
    ask: "m",
    ...own(
      "answer-routes",
      "sbr",
      /^net1 of web: answers from 192\.0\.2\.50 to other subnets leave by eth0, and not by net1: the address has no/
    ),
    isMended: true
  },
  "another end that is down": {
    ...attached("ip link set $(host_end) down"),
    ...own("host-end", "bridge", /is down/),
    isMended: true
  },
  "another end that is a port of nothing": {
    ...attached("ip link set $(host_end) nomaster"),
    ...own("host-end", "bridge", /not a port of any bridge/),
    isMended: true
  },
  "another end at another bridge": {
    ...attached("ip link add br9 type bridge; ip link set br9 up; ip link set $(host_end) master br9"),
    ...own("host-end", "bridge", /a port of br9, expected cni-n/),
    isMended: true
  },
  "another end that does not forward": {
    ...attached("bridge link set dev $(host_end) state 0"),
    ...own("host-end", "bridge", /its port is disabled/),
    isMended: true
  },
  "another end that is gone": {
    ...attached("ip link add other type veth peer name more; end=$(host_end); ip link set $end name gone"),
    ...own("host-end", "bridge", /does not have the other end of its link/),
    mend: "ip link del other; run_fix"
  },
  "no bridge": { ...attached("ip link del cni-n"), ...own("bridge", "bridge", /no bridge cni-n/), isMended: true },
  "a bridge that is down": {
    ...attached("ip link set cni-n down"),
    ...own("bridge", "bridge", /cni-n is down/),
    isMended: true
  },
  "a device with the name of the bridge": {
    files: of(bridge),
    script: "ip link add cni-n type veth peer name x",
    ...own("bridge", "bridge", /not a bridge but of kind veth/),
    mend: "says 'or remove the link cni-n'; ip link del cni-n"
  },
  "a bridge without its address": {
    ...attached("ip addr flush dev cni-n"),
    ...own("gateway-address", "bridge", /does not have the address 10\.99\.0\.1\/24/),
    isMended: true
  },
  "an end of ptp without its address": {
    ...attached("ip addr flush dev $(host_end)", of(ptp)),
    ...own("gateway-address", "ptp", /does not have the address 10\.99\.0\.1, which is its gateway/),
    isMended: true
  },
  "a neighbour of an earlier container": {
    ...attached("ip neigh replace 10.99.0.2 lladdr 22:47:9a:ce:70:88 dev cni-n nud permanent"),
    ...own("neighbours", undefined, /the host sends what is for 10\.99\.0\.2 to the MAC 22:47:9a:ce:70:88, expected/),
    isMended: true
  },
  "a bridge that does not answer": {
    ...attached("inside web ip neigh flush all; ip link set cni-n arp off"),
    ...own("gateway-answers", "bridge", /10\.99\.0\.1 does not answer/),
    isMended: true
  },
  "a bridge that answers before somebody asks again": {
    ...attached("inside web ip neigh flush all; ip link set cni-n arp off"),
    ...own("gateway-answers", "bridge", /10\.99\.0\.1 does not answer/),
    mend: "sleep 0.9; run_fix"
  },
  "a bridge that was not told to be the gateway": {
    ...attached("", bridgeWith({ isGateway: false, ipMasq: false })),
    ...own("gateway-answers", "bridge", /isGateway is not set/),
    mend: "detach web; ip link del cni-n; edit 's/\"isGateway\":false/\"isGateway\":true/'; again web"
  },
  "a pair of ptp without its way back": {
    ...attached("ip route del 10.99.0.2", of(ptp)),
    ...own("host-route", "ptp", /no route to 10\.99\.0\.2/),
    isMended: true
  },
  "a black hole in the place of its way back": {
    ...attached("ip route add blackhole 10.99.0.2"),
    ...own("host-route", "bridge", /the host has no route to|sends what is for/),
    isMended: true
  },
  "an end of ptp that is down": {
    ...attached("ip link set $(host_end) down", of(ptp)),
    ...own("host-end", "ptp", /is down/),
    isMended: true
  },
  "a name server that is a name": {
    ...attached("", bridgeWith({ dns: { nameservers: ["dns.example"] } })),
    ...own("name-servers", "bridge", /"dns\.example" is not an IP address/),
    mend: "says 'correct \"dns\"'; edit 's/dns.example/10.99.0.1/'; again web"
  },
  "a name server without a way": {
    ...attached("", bridgeWith({ dns: { nameservers: ["192.0.2.53"] }, ipam: ipam({ routes: [] }) })),
    ...own("name-servers", "bridge", /no route from inside leads to the name server 192\.0\.2\.53/),
    mend:
      "says 'add a route to it to \"routes\"'; edit 's/\"routes\":../\"routes\":[{\"dst\":\"192.0.2.0\\/24\"}]/'; again web"
  },
  "a name server that is the container itself": {
    ...attached("", bridgeWith({ dns: { nameservers: ["127.0.0.53"] } })),
    ...own("name-servers", "bridge", /is the container itself/, "warning"),
    mend: "says \"name a server that containers reach\"; edit 's/127.0.0.53/10.99.0.1/'; again web"
  },
  "another MTU inside": {
    ...attached("inside web ip link set eth0 mtu 1300"),
    ...own("mtu", "bridge", /its MTU is 1300/, "warning"),
    isMended: true
  },
  "another MTU outside": {
    ...attached("ip link set $(host_end) mtu 1300"),
    ...own("mtu", "bridge", /other end .* is 1300/, "warning"),
    isMended: true
  },
  "another MTU than tuning sets": {
    ...attached("inside web ip link set eth0 mtu 1500", of(bridge, { type: "tuning", mtu: 1400 })),
    ...own("mtu", "tuning", /expected 1400/, "warning"),
    isMended: true
  },
  "another MTU at the bridge": {
    ...attached("ip link set cni-n mtu 1280"),
    ...own("mtu", "bridge", /of the bridge cni-n is 1280/, "warning"),
    isMended: true
  },
  "another MAC": {
    ...attached("inside web ip link set eth0 address 02:00:00:00:00:09"),
    ...own("mac", "bridge", /02:00:00:00:00:09/, "warning"),
    isMended: true
  }
}

const mapped = "attach web \"$(port 8080)\""
const withPorts = (script: string, fields: object = {}) =>
  attached(script, of(bridgeOfPorts, { ...portmap, ...fields }), mapped)
const dual = bridgeWith({ ipam: ofTwoFamilies })

/** Another network, which a runtime would choose. */
const beforeIt = {
  "00-m.conflist": {
    ...list({ ...bridge, bridge: "cni-m", ipam: ipam({ ranges: [[{ subnet: "10.98.0.0/24" }]] }) }),
    name: "m"
  }
}

const hosts: { readonly [name: string]: Broken } = {
  "a container that is attached to another network than the first": {
    ...attached("inside web ip link set eth0 down", { ...of(bridge), ...beforeIt } as never),
    ask: "--container-id web",
    ...own("link-up", "bridge", /eth0 of web is down/),
    isMended: true
  },
  "a host that does not forward": {
    ...attached("sysctl -qw net.ipv4.ip_forward=0"),
    ...own("ip-forward", undefined, /net\.ipv4\.ip_forward is 0/),
    isMended: true
  },
  "a host that does not forward IPv6": {
    ...attached("sysctl -qw net.ipv6.conf.all.forwarding=0", dual),
    ...own("ip-forward", undefined, /net\.ipv6\.conf\.all\.forwarding is 0/),
    isMended: true
  },
  "a bridge that does not forward": {
    ...attached("sysctl -qw net.ipv4.conf.cni-n.forwarding=0"),
    ...own("ip-forward", undefined, /conf\.cni-n\.forwarding is 0/),
    isMended: true
  },
  "an uplink whose answers are not forwarded": {
    ...attached("sysctl -qw net.ipv4.conf.uplink.forwarding=0"),
    ...own("ip-forward", undefined, /conf\.uplink\.forwarding is 0/),
    isMended: true
  },
  "an uplink of a VLAN whose answers are not forwarded": {
    ...attached(
      "ip link set uplink down; ip link set uplink name up.7; ip link set up.7 up; ip route add default via 192.0.2.1; " +
        "sysctl -qw net/ipv4/conf/up.7/forwarding=0"
    ),
    ...own("ip-forward", undefined, /net\.ipv4\.conf\.up\.7\.forwarding is 0/),
    isMended: true
  },
  "a host whose way out is a dead end": {
    ...attached(
      "ip route del default; ip route add default via 192.0.2.1 metric 100; ip route add blackhole default metric 50"
    ),
    ...own("policy-rules", undefined, /ends in blackhole: the host has no other route/),
    isMended: true
  },
  "no room for connections": {
    ...attached(
      "for name in count max; do echo 100 > /run/$name; mount --bind /run/$name /proc/sys/net/netfilter/nf_conntrack_$name; done"
    ),
    ...own("kernel-tables", undefined, /table of connections is full, with 100 of 100/),
    isMended: true
  },
  "a policy that drops": {
    ...attached("iptables -P FORWARD DROP"),
    ...own("forward-rules", undefined, /dropped by the policy of FORWARD/),
    isMended: true
  },
  "a rule that drops": {
    ...attached("iptables -I FORWARD -s 10.99.0.0/16 -j DROP"),
    ...own("forward-rules", undefined, /sends is dropped by a rule/),
    isMended: true
  },
  "a rule that drops answers": {
    ...attached("iptables -A FORWARD -o cni-n -j REJECT"),
    ...own("forward-rules", undefined, /answers to eth0 of web are dropped/),
    isMended: true
  },
  "a chain of another that drops": {
    ...attached("iptables -N MINE; iptables -A MINE -i cni-n -j DROP; iptables -I FORWARD -j MINE"),
    ...own("forward-rules", undefined, /dropped by a rule of FORWARD/),
    isMended: true
  },
  "a rule of mangle that drops": {
    ...attached("iptables -t mangle -A FORWARD -s 10.99.0.0/24 -j DROP"),
    ...own("forward-rules", undefined, /sends is dropped by a rule of FORWARD in the table mangle/),
    isMended: true
  },
  "a rule of raw that drops": {
    ...attached("iptables -t raw -A PREROUTING -i cni-n -j DROP"),
    ...own("forward-rules", undefined, /sends is dropped by a rule of PREROUTING in the table raw/),
    isMended: true
  },
  "a policy of mangle that drops": {
    ...attached("iptables -t mangle -P POSTROUTING DROP"),
    ...own("forward-rules", undefined, /sends is dropped by the policy of POSTROUTING in the table mangle/),
    isMended: true
  },
  "nftables that drop what comes in": {
    ...attached(
      "nft add table inet fw; nft add chain inet fw early '{ type filter hook prerouting priority -300; }'; " +
        "nft add rule inet fw early iifname cni-n drop"
    ),
    ...own("forward-rules", undefined, /sends is dropped by the chain early of the nftables table inet fw/),
    isMended: true
  },
  "nftables that drop": {
    ...attached(
      "nft add table inet fw; nft add chain inet fw forward '{ type filter hook forward priority 0; policy drop; }'"
    ),
    ...own("forward-rules", undefined, /nftables table inet fw/),
    isMended: true
  },
  "rules of firewall that were flushed": {
    ...attached("iptables -F; iptables -P FORWARD DROP", of(bridge, firewall)),
    ...own("forward-rules", "firewall", /rules of the plugin firewall are not there/),
    isMended: true
  },
  "masquerading that was flushed": {
    ...attached("iptables -t nat -F POSTROUTING"),
    ...own("masquerade", "bridge", /no rule masquerades 10\.99\.0\.2/),
    isMended: true
  },
  "a published port that a policy drops": {
    ...withPorts(
      "iptables -P FORWARD DROP; iptables -A FORWARD -i cni-n -j ACCEPT; " +
        "iptables -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
    ),
    ...own(
      "forward-rules",
      undefined,
      /^what comes in for port 8080\/tcp of eth0 of web \(10\.99\.0\.2:80\) is dropped/
    ),
    isMended: true
  },
  "containers of one bridge that a policy keeps apart": {
    ...attached(
      "attach api; sysctl -qw net.bridge.bridge-nf-call-iptables=1; iptables -P FORWARD DROP; " +
        "iptables -A FORWARD -i cni-n -o uplink -j ACCEPT; iptables -A FORWARD -i uplink -o cni-n -j ACCEPT"
    ),
    ...own("forward-rules", undefined, /on the same bridge is dropped by the policy of FORWARD/),
    isMended: true
  },
  "a tunnel whose packets are not let in": {
    ...attached(
      "ip link add flannel.1 type vxlan id 1 dstport 8472 dev uplink; ip link set flannel.1 up; " +
        "ip route add 10.244.2.0/24 dev flannel.1; iptables -P INPUT DROP; iptables -A INPUT -i lo -j ACCEPT"
    ),
    ...own(
      "tunnel-rules",
      undefined,
      /through the tunnel flannel\.1 \(vxlan, UDP port 8472\) is dropped by the policy/
    ),
    isMended: true
  },
  "IPv6 that the host disables": {
    files: dual,
    script: "sysctl -qw net.ipv6.conf.default.disable_ipv6=1",
    ...own("ipv6-disabled", "bridge", /IPv6 is disabled on the host/),
    isMended: true
  },
  "a VPN that takes the subnet": {
    ...attached("ip rule add pref 5270 lookup 52; ip route add 10.99.0.0/24 dev uplink table 52"),
    ...own("policy-rules", undefined, /^answers to eth0 of web go to uplink, expected cni-n/),
    isMended: true
  },
  "chains of nat that are gone": {
    ...withPorts("iptables -t nat -F; iptables -t nat -X"),
    ...own("masquerade", "bridge", /no rule masquerades 10\.99\.0\.2/),
    isMended: true
  },
  "a rule that keeps it from being masqueraded": {
    ...attached("iptables -t nat -I POSTROUTING -s 10.99.0.0/24 -j ACCEPT"),
    ...own("masquerade", undefined, /no rule masquerades 10\.99\.0\.2/),
    isMended: true
  },
  "an exception from being masqueraded that the host's own link is in": {
    ...attached(
      "ip addr add 10.99.200.2/24 dev uplink; iptables -t nat -I POSTROUTING -s 10.99.0.0/16 -d 10.99.0.0/16 -j RETURN"
    ),
    ...own("masquerade", undefined, /no rule masquerades 10\.99\.0\.2 for 10\.99\.200\.0\/24, the subnet of uplink/),
    isMended: true
  },
  "the same, of IPv6": {
    ...attached(
      "ip addr add fd99:0:0:c8::2/64 dev uplink nodad; ip route add default via fd99:0:0:c8::1; sleep 2.2; " +
        "ip6tables -t nat -I POSTROUTING -s fd99::/32 -d fd99::/32 -j RETURN",
      dual
    ),
    ...own("masquerade", undefined, /no rule masquerades fd99::2 for fd99:0:0:c8::\/64, the subnet of uplink/),
    isMended: true
  },
  "an address of nobody that what is sent gets": {
    ...attached("iptables -t nat -I POSTROUTING -s 10.99.0.0/24 -j SNAT --to-source 192.0.2.99"),
    ...own("masquerade", undefined, /gets the source address 192\.0\.2\.99, which the host does not have/),
    isMended: true
  },
  "connections that are not tracked": {
    ...attached("iptables -t raw -A PREROUTING -s 10.99.0.0/24 -j CT --notrack"),
    ...own(
      "masquerade",
      undefined,
      /keeps the kernel from tracking what 10\.99\.0\.2 sends, so no rule masquerades it/
    ),
    isMended: true
  },
  "a smaller link on the way, of which nobody is told": {
    ...attached("ip link set uplink mtu 1320; iptables -A OUTPUT -p icmp --icmp-type fragmentation-needed -j DROP"),
    ...own("path-mtu", undefined, /that of uplink is 1320, and a rule of OUTPUT drops the ICMP "fragmentation needed"/),
    isMended: true
  },
  "the same, of nftables and ptp": {
    ...attached(
      "ip link set uplink mtu 1320; nft add table inet fw; " +
        "nft add chain inet fw out '{ type filter hook output priority 0; }'; " +
        "nft add rule inet fw out icmp type destination-unreachable drop",
      of(ptp)
    ),
    ...own("path-mtu", undefined, /that of uplink is 1320, and a rule of OUTPUT drops/),
    isMended: true
  },
  "a container that does not reach itself by its port": {
    ...attached(
      "sysctl -qw net.bridge.bridge-nf-call-iptables=1",
      of(bridge, portmap),
      mapped
    ),
    ...own(
      "hairpin",
      "bridge",
      /does not reach itself by its published port 8080\/tcp: hairpin mode of veth/,
      "warning"
    ),
    isMended: true
  },
  "ports that the host itself does not reach": {
    ...withPorts("iptables -t nat -F OUTPUT"),
    ...own("published-ports", "portmap", /no rule of OUTPUT leads there, so the host itself does not reach it/),
    isMended: true
  },
  "ports that 127.0.0.1 does not reach": {
    ...withPorts("sysctl -qw net.ipv4.conf.cni-n.route_localnet=0"),
    ...own(
      "published-ports",
      "portmap",
      /does not reach it by 127\.0\.0\.1, as route_localnet of cni-n is 0/,
      "warning"
    ),
    isMended: true
  },
  "ports that OUTPUT keeps from the host itself": {
    ...withPorts("iptables -P OUTPUT DROP"),
    ...own("published-ports", undefined, /what the host itself sends there is dropped by the policy of OUTPUT/),
    isMended: true
  },
  "the same, of nftables": {
    ...withPorts(
      "nft add table inet fw; nft add chain inet fw out '{ type filter hook output priority 0; }'; " +
        "nft add rule inet fw out ip daddr 10.99.0.2 tcp dport 80 drop"
    ),
    ...own(
      "published-ports",
      undefined,
      /itself sends there is dropped by the chain out of the nftables table inet fw/
    ),
    isMended: true
  },
  "ports whose connections are not tracked": {
    ...withPorts("iptables -t raw -A PREROUTING -p tcp --dport 8080 -j CT --notrack"),
    ...own("published-ports", undefined, /a rule keeps the kernel from tracking what comes for it/),
    isMended: true
  },
  "ports that a rule in the container drops": {
    ...withPorts("inside web iptables -A INPUT -p tcp --dport 80 -j DROP"),
    ...own("published-ports", undefined, /for port 80\/tcp of eth0 of web is dropped in its own namespace, by a rule/),
    isMended: true
  },
  "the same, of nftables in the container": {
    ...withPorts(
      "inside web nft add table inet fw; inside web nft add chain inet fw in '{ type filter hook input priority 0; }'; " +
        "inside web nft add rule inet fw in tcp dport 80 drop"
    ),
    ...own("published-ports", undefined, /in its own namespace, by the chain in of the nftables table inet fw/),
    isMended: true
  },
  "ports that another container does not reach": {
    ...withPorts(
      "attach api; sysctl -qw net.bridge.bridge-nf-call-iptables=0; iptables -P FORWARD DROP; " +
        "iptables -A FORWARD -i uplink -j ACCEPT; iptables -A FORWARD -o uplink -j ACCEPT"
    ),
    ...own(
      "forward-rules",
      undefined,
      /^what eth0 of api sends to port 8080\/tcp of the host, which is mapped to eth0 of web,/
    ),
    isMended: true
  },
  "containers of ptp that a policy keeps apart": {
    ...attached(
      "attach api; iptables -P FORWARD DROP; iptables -A FORWARD -i uplink -j ACCEPT; iptables -A FORWARD -o uplink -j ACCEPT",
      of(ptp)
    ),
    ...own("forward-rules", undefined, /sends to eth0 of \w+ \(10\.99\.0\.\d\) is dropped by the policy of FORWARD/),
    isMended: true
  },
  "a rule of nftables for a set of ports": {
    ...withPorts(
      "nft add table inet fw; nft add chain inet fw f '{ type filter hook forward priority 0; }'; " +
        "nft add set inet fw closed '{ type inet_service; flags interval; elements = { 80-90 }; }'; " +
        "nft add rule inet fw f tcp dport @closed drop"
    ),
    ...own(
      "forward-rules",
      undefined,
      /^what comes in for port 8080\/tcp .* is dropped by the chain f of the nftables table/
    ),
    isMended: true
  },
  "no way out, which is to be masqueraded": {
    ...attached("ip route del default"),
    ...own("way-out", undefined, /ipMasq is set, but the host has no route out/, "warning"),
    mend: "says 'give the host a default route of IPv4'; ip route add default via 192.0.2.1"
  },
  "a way out that routers tell of, which a host that forwards does not hear": {
    ...attached(
      "ip addr add 2001:db8::2/64 dev uplink nodad; sysctl -qw net.ipv6.conf.uplink.accept_ra=1; sleep 2.2",
      dual
    ),
    ...own(
      "way-out",
      undefined,
      /uplink takes no routes from routers, as accept_ra is 1 and the host forwards/,
      "warning"
    ),
    mend: "run_fix; ip route add default via 2001:db8::1"
  },
  "a way out that routers told of, which a host that forwards will not hear of again": {
    ...attached(
      "ip addr add 2001:db8::2/64 dev uplink nodad; sleep 2.2; sysctl -qw net.ipv6.conf.uplink.accept_ra=1; " +
        "ip -6 route add default via 2001:db8::1 dev uplink proto ra expires 1800",
      dual
    ),
    ...own("way-out", undefined, /the default route of IPv6 over uplink came from a router and will expire/, "warning"),
    isMended: true
  },
  "a way out without a carrier": {
    ...attached("ip link set world down"),
    ...own("way-out", undefined, /goes to uplink, which has no carrier/),
    mend: "says 'see what is at the other end of uplink'; ip link set world up"
  },
  "a default route by the link of a container, as tools give that think it is an uplink": {
    ...attached(
      "ip route del default; ip route add default via 192.0.2.1 metric 100; ip route add default dev $(host_end) metric 50",
      of(ptp)
    ),
    ...own("way-out", undefined, /goes to veth\w+, a link of containers: a route of the host leads there/),
    isMended: true
  },
  "ports at the address of a second uplink, which is strict": {
    ...attached(
      "sysctl -qw net.ipv4.conf.wan2.rp_filter=1",
      of(bridgeOfPorts, portmap),
      "ip link add wan2 type veth peer name w2; ip link set w2 up; ip addr add 203.0.114.2/24 dev wan2; " +
        "ip link set wan2 up; attach web \"$(port 8080 | sed 's/{\"hostPort/{\"hostIP\":\"203.0.114.2\",\"hostPort/')\""
    ),
    ...own(
      "rp-filter-uplink",
      undefined,
      /by wan2 for port 8080\/tcp .* is dropped: rp_filter of wan2 is 1, .* by uplink/
    ),
    isMended: true
  },
  "a queue that is smaller than a packet": {
    ...attached("tc qdisc add dev $(host_end) root tbf rate 1mbit burst 600 latency 50ms"),
    ...own("queues", undefined, /the queue of veth\w+ \(tbf\) has a burst of 600 bytes/),
    isMended: true
  },
  "ports that were flushed": {
    ...withPorts("iptables -t nat -F CNI-HOSTPORT-DNAT"),
    ...own("port-mappings", "portmap", /no rule leads from port 8080\/tcp/),
    isMended: true
  },
  "a port that leads to one that is gone": {
    ...withPorts("iptables -t nat -I PREROUTING -p tcp --dport 8080 -j DNAT --to-destination 10.99.0.250:80"),
    ...own("port-mappings", "portmap", /goes to 10\.99\.0\.250:80, expected 10\.99\.0\.2:80/),
    isMended: true
  },
  "a port of two containers": {
    ...withPorts("attach api \"$(port 8080)\""),
    ...own("ports-taken", "portmap", /mapped to two containers/),
    mend: "says \"start one of them with another port\"; again api \"$(port 8081)\""
  },
  "a port that somebody listens on": {
    ...withPorts(
      // Its listening is seen in a table of the kernel: connections to this port go to the container.
      "/tmp/tools/node -e 'require(\"net\").createServer().listen(8080)' & until grep -q ':1F90 .* 0A ' /proc/net/tcp6; do sleep 0.05; done"
    ),
    ...own("ports-taken", "portmap", /\(process \d+\) listens on it/, "warning"),
    mend: "says \"use another port\"; kill $!; wait $! || true"
  },
  "a rule that throws away what containers send": {
    ...attached("ip rule add from 10.99.0.0/24 blackhole"),
    ...own("policy-rules", undefined, /^what eth0 of web sends ends in blackhole/),
    isMended: true
  },
  "a rule that leads to a table where all is unreachable": {
    ...attached("ip rule add from 10.99.0.0/24 iif cni-n lookup 7; ip route add unreachable default table 7"),
    ...own("policy-rules", undefined, /^what eth0 of web sends ends in unreachable/),
    isMended: true
  },
  "a rule that sends answers elsewhere": {
    ...attached("ip rule add to 10.99.0.0/24 lookup 7; ip route add default via 192.0.2.1 table 7"),
    ...own("policy-rules", undefined, /^answers to eth0 of web go to uplink, expected cni-n/),
    isMended: true
  },
  "a rule in a container that drops what it sends": {
    ...attached("inside web iptables -A OUTPUT -o eth0 -j DROP"),
    ...own("inside-rules", undefined, /^what eth0 of web sends is dropped in its own namespace, by a rule of OUTPUT/),
    isMended: true
  },
  "a policy in a container that drops what comes": {
    ...attached("inside web iptables -P INPUT DROP"),
    ...own("inside-rules", undefined, /^what answers eth0 of web is dropped .* by the policy of INPUT/),
    isMended: true
  },
  "a host that is the name server, and is not to be asked": {
    ...attached("iptables -A INPUT -i cni-n -j DROP", bridgeWith({ dns: { nameservers: ["10.99.0.1"] } })),
    ...own("input-rules", undefined, /asks the name server 10\.99\.0\.1, which is the host, is dropped/, "warning"),
    isMended: true
  },
  "a rule that drops, with a comment that a shell would run": {
    ...attached("iptables -I FORWARD -s 10.99.0.0/16 -m comment --comment '$(touch /run/ran)`exit`' -j DROP"),
    ...own("forward-rules", undefined, /sends is dropped by a rule/),
    isMended: true
  },
  "rules in both backends": {
    ...attached("iptables-legacy -A INPUT -p tcp --dport 9 -j DROP"),
    ...own("iptables-backends", undefined, /rules in both its backends/, "warning"),
    mend: "iptables-legacy -F; iptables-legacy -t nat -F"
  },
  "a policy of the other backend that drops": {
    ...attached("iptables-legacy -P FORWARD DROP"),
    ...own("forward-rules", undefined, /dropped by the policy of FORWARD/),
    isMended: true
  },
  "ports without a way between containers": {
    ...withPorts("sysctl -qw net.bridge.bridge-nf-call-iptables=0 || true", { snat: false }),
    ...own("bridge-netfilter", "portmap", /do not reach each other/, "warning"),
    mend:
      "says 'or remove \"snat\": false and restart the containers'; edit 's/,\"snat\":false//'; again web \"$(port 8080)\""
  },
  "ports without a way between containers, where the host could": {
    ...withPorts("sysctl -qw net.bridge.bridge-nf-call-iptables=0", { snat: false }),
    ...own("bridge-netfilter", "portmap", /do not reach each other/, "warning"),
    isMended: true
  },
  "a strict host that sends answers elsewhere": {
    ...attached("sysctl -qw net.ipv4.conf.all.rp_filter=1; ip route replace 10.99.0.2 dev uplink", of(ptp)),
    ...own("host-route", "ptp", /sends what is for 10\.99\.0\.2 to uplink/),
    mends: "rp-filter",
    isMended: true
  }
}

/** A plugin of its own after bridge, as a script that has its request on stdin and knows the verb. */
const mine = (words: string, timeout = "10s") => ({
  files: of(bridge, { type: "mine" }),
  script: `answering; plugin mine '#!/bin/sh
config=$(cat)
[ $CNI_COMMAND != VERSION ] || { echo "{\\"cniVersion\\":\\"1.0.0\\",\\"supportedVersions\\":[\\"1.0.0\\"]}"; exit; }
result() { echo "$config" | sed "s/.*\\"prevResult\\"://; s/}$//"; }
${words}
'`,
  ask: `n --trial --timeout ${timeout}`
})

/** The same, where nothing is wrong with it. */
const well = mine("[ $CNI_COMMAND != ADD ] || result")

const trials: { readonly [name: string]: Broken } = {
  "a plugin that fails its ADD": {
    ...mine(`[ $CNI_COMMAND != ADD ] || { echo "{\\"code\\":7,\\"msg\\":\\"no such zone\\"}"; exit 1; }`),
    ...own("trial-add", "mine", /^ADD fails in mine: code 7: no such zone/),
    mend: `says "mend what mine names"; ${well.script}`
  },
  "a plugin that answers its ADD with words": {
    ...mine("echo hello"),
    ...own("trial-add", "mine", /its result is not a JSON object/),
    mend: `says "use another version of mine"; ${well.script}`
  },
  "a plugin whose ADD hangs": {
    ...mine("[ $CNI_COMMAND != ADD ] || sleep 600; result", "5s"),
    ...own("trial-add", "mine", /did not end within 5s/),
    mend: `says "use another version of mine"; ${well.script}`
  },
  "a plugin that a signal ends": {
    ...mine("[ $CNI_COMMAND != ADD ] || kill -9 $$"),
    ...own("trial-add", "mine", /killed by SIGKILL/),
    mend: `says "use another version of mine"; ${well.script}`
  },
  "a plugin that drops the result": {
    ...mine(`[ $CNI_COMMAND != ADD ] || echo "{\\"cniVersion\\":\\"1.0.0\\"}"`),
    ...own("trial-result", "mine", /^mine drops .*address 10\.99\.0\.2\/24/),
    mend: `says "put mine before the plugins whose result it drops"; ${Networks.write(of({ type: "mine" }, bridge))}`
  },
  "a plugin that fails its DEL": {
    ...mine("[ $CNI_COMMAND != DEL ] || exit 3; [ $CNI_COMMAND != ADD ] || result"),
    ...own("trial-del", "mine", /^DEL fails in mine/),
    mend: `says "use another version of mine"; ${well.script}`
  },
  "a plugin that fails its CHECK": {
    ...mine("[ $CNI_COMMAND != CHECK ] || exit 3; [ $CNI_COMMAND != ADD ] || result"),
    ...own("trial-check", "mine", /^CHECK fails in mine/, "warning"),
    mend: `says 'set "disableCheck": true'; edit 's/"name"/"disableCheck":true,"name"/'`
  },
  "an IPAM plugin that waits for its lock for ever": {
    ...attached(
      "answering; flock /var/lib/cni/networks/n/lock sleep 600 & echo $! > /run/holder; " +
        "while flock -n /var/lib/cni/networks/n/lock true; do sleep 0.05; done"
    ),
    ask: "n --trial --timeout 5s",
    ...own("trial-add", "host-local", /^ADD fails in host-local in bridge: did not end within 5s/),
    mend: "says \"see what it does before it ends\"; pkill -P $(cat /run/holder)"
  },
  "an IPAM plugin that fails": {
    files: ipamWith({}),
    script: "answering; mkdir -p /var/lib/cni/networks/n/lock",
    ask: "n --trial",
    ...own("trial-add", "host-local", /^ADD fails in host-local in bridge: .*is a directory/),
    mend: "says \"mend what host-local names\"; rmdir /var/lib/cni/networks/n/lock"
  },
  "a plugin that leaves an address": {
    files: of(bridge),
    script: `answering; plugin host-local '${script("[ $CNI_COMMAND = DEL ] || exec /usr/lib/cni/host-local")}'`,
    ask: "n --trial",
    ...own("trial-left", "host-local", /after DEL there is still reservation of the trial/),
    mend: install("host-local", "host-local", "use a version of the plugin whose DEL works")
  },
  "a rule that drops the packets of new containers": {
    ...attached("answering; iptables -I FORWARD -s 10.99.0.2 -p tcp --dport 443 -j DROP", of(bridge), ""),
    ask: "n --trial",
    ...own(
      "trial-flows",
      undefined,
      /^the world, by uplink: the packet was dropped by ip filter FORWARD in host/,
      "warning"
    ),
    isMended: true
  },
  "a gateway of the host that is not there": {
    files: of(bridge),
    script: "true",
    ask: "n --trial",
    ...own("trial-flows", undefined, /the neighbour 192\.0\.2\.1 on uplink does not answer host$/),
    mend: "says \"correct what the finding names\"; answering"
  }
}

const log = "/run/log.jsonl"
const logged = (verb: string) => `cni-passthrough run ${verb} n --netns web --container-id web --log ${log}`
const alone = { ...bridge, ipMasq: false, ipam: { type: "static", addresses: [{ address: "10.99.0.5/24" }] } }

/** What a tap logs of an ADD of the pod shop/api that fails in it. */
const failedAdd = [
  { event: "request", netns: "/run/netns/api", args: "K8S_POD_NAMESPACE=shop;K8S_POD_NAME=api", config: tap },
  { event: "error", durationMs: 13, error: { code: 11, msg: "no such zone" } }
].map((record) => ({
  time: "2026-11-24T10:00:00.000Z",
  invocation: "1",
  command: "ADD",
  containerId: "5c01f03d8d6d",
  ifname: "eth0",
  network: "n",
  label: "passthrough",
  ...record
}))

const pasts: { readonly [name: string]: Broken } = {
  "an ADD that failed, of a pod that is asked about, in the log that lies at hand": {
    files: of(bridge, tap),
    script: `mount -t tmpfs tmpfs /var/log; mkdir /var/log/cni
printf '%s\\n' ${failedAdd.map((record) => `'${JSON.stringify(record)}'`).join(" ")} > /var/log/cni/n.jsonl`,
    ask: "--pod shop/api",
    ...own(
      "last-failure",
      "passthrough",
      /^the last ADD of eth0 of shop\/api \(5c01f03d8d6d\), .* failed: .*no such zone/
    ),
    mend:
      "ip netns add api; cni-passthrough run add n --netns api --args 'IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=api' >&2"
  },
  "a log whose last ADD failed": {
    ...mine(`[ $CNI_COMMAND != ADD ] || { echo "{\\"code\\":7,\\"msg\\":\\"no such zone\\"}"; exit 1; }`),
    script: `${
      mine(`[ $CNI_COMMAND != ADD ] || { echo "{\\"code\\":7,\\"msg\\":\\"no such zone\\"}"; exit 1; }`).script
    }
ip netns add web; ${logged("add")} >&2 || true`,
    ask: `n --log ${log}`,
    ...own("last-failure", "mine", /the last ADD of eth0 of web, .* failed: mine: code 7: no such zone/),
    mend: `says "fix what the error names"; ${well.script}; detach web; ${logged("add")} >&2`
  },
  "a log with an ADD and no DEL": {
    files: of(alone, { ...tap, logFile: log, logFormat: "json" }),
    script: "attach web; ip netns del web; rm /var/lib/cni/results/*",
    ask: `n --log ${log}`,
    ...own("add-without-del", undefined, /had an ADD at .*, and no DEL after it/, "warning"),
    // The cache has no result for that DEL, of which is told until one has had all.
    mend: "follow 'cni-passthrough run del n --container-id web'; ip netns add web; add web; detach web"
  },
  "a log with a DEL that had less": {
    files: of(alone, portmap),
    script: `ip netns add web
${logged("add")} --capability-args "$(port 8080)" >&2; rm /var/lib/cni/results/*; ${logged("del")}`,
    ask: `n --log ${log}`,
    ...own("del-with-less", undefined, /without the capability portMappings/, "warning"),
    mend: `says "let the runtime give a DEL what its ADD had"
${logged("add")} --capability-args "$(port 8080)" >&2; ${logged("del")}`
  }
}

interface Healthy {
  readonly [name: string]: Networks.Network
}

/** Ends the script where doctor leaves anything on the host that was not there before. */
const unchanged = `
state() {
  iptables-save | sed "/^#/d; s/\\[[0-9:]*\\]//"
  nft list tables; ip -o link | sed "s/^[0-9]*: //; s/<[^>]*>//; s/state [A-Z]*//"; ip addr | grep 'inet '; ip route; sysctl net.ipv4.ip_forward
  find /run/netns /var/lib/cni -type f | sort
}
mkdir -p /run/netns; state > /run/before
trap 'state > /run/after; diff /run/before /run/after' EXIT`

const healthy: Healthy = {
  "bridge": attached(""),
  "bridge with nothing attached yet": { files: of(bridge) },
  "bridge that is not named": attached(
    "",
    bridgeWith({ bridge: undefined, isDefaultGateway: true, ipam: ipam({ routes: [] }) })
  ),
  "bridge, portmap and firewall with ports, and a policy that lets in mapped ports alone": attached(
    "iptables -P FORWARD DROP; iptables -A FORWARD -m conntrack --ctstate DNAT -j ACCEPT; attach api \"$(port 8081)\"",
    of(bridgeOfPorts, portmap, firewall),
    mapped
  ),
  "a way out by another uplink, of ip rule, which is strict": attached(
    "ip link add wan2 type veth peer name w2; ip link set w2 up; ip addr add 203.0.114.2/24 dev wan2; " +
      "ip link set wan2 up; ip route add default via 203.0.114.1 dev wan2 table 200; " +
      "ip rule add from 10.99.0.0/24 iif cni-n lookup 200 pref 1000; sysctl -qw net.ipv4.conf.wan2.rp_filter=1"
  ),
  "a way out by another uplink, of ip rule, which the firewall lets out alone": attached(
    "ip link add wan2 type veth peer name w2; ip link set w2 up; ip addr add 203.0.114.2/24 dev wan2; " +
      "ip link set wan2 up; ip route add default via 203.0.114.1 dev wan2 table 200; " +
      "ip rule add from 10.99.0.0/24 iif cni-n lookup 200 pref 1000; iptables -P FORWARD DROP; " +
      "iptables -A FORWARD -i cni-n -o wan2 -j ACCEPT; " +
      "iptables -A FORWARD -i wan2 -o cni-n -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
  ),
  "loopback before bridge, tried": { ...attached("answering", of({ type: "loopback" }, bridge)), ask: "n --trial" },
  "links in the container that no plugin made, as drivers of devices bring them": attached(
    "ip link add net1 type veth peer name vf0; ip link set net1 netns web; ip link set vf0 up; " +
      "inside web ip addr add 192.168.100.7/24 dev net1; inside web ip link set net1 up; " +
      "ip link add net2 link uplink netns web type macvlan mode bridge; inside web ip link set net2 up"
  ),
  "a file for the loopback link, as CRI-O brings it": {
    ...attached(
      "",
      { ...of(bridge), "99-loopback.conf": { cniVersion: "1.0.0", name: "lo", type: "loopback" } },
      "export CNI_ARGS='IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web'; attach web; unset CNI_ARGS"
    ),
    ask: "lo"
  },
  "taps between plugins": attached("", of(bridgeOfPorts, tap, portmap, tap, firewall, tap), mapped),
  "ptp": attached("attach api", of(ptp, portmap), mapped),
  "ptp, where the firewall lets its subnet through": attached(
    "attach api; iptables -P FORWARD DROP; iptables -A FORWARD -s 10.99.0.0/24 -j ACCEPT; " +
      "iptables -A FORWARD -d 10.99.0.0/24 -j ACCEPT",
    of(ptp, portmap),
    mapped
  ),
  "no hairpin mode, where iptables does not see the frames of bridges": attached(
    "sysctl -qw net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0",
    of(bridge, portmap),
    mapped
  ),
  "an exception of nat for containers of other hosts": attached(
    "ip route add 10.99.1.0/24 via 192.0.2.9; iptables -t nat -I POSTROUTING -s 10.99.0.0/16 -d 10.99.0.0/16 -j RETURN"
  ),
  "a smaller link on the way, of which containers are told": attached("ip link set uplink mtu 1320"),
  "a host whose firewall lets in what its containers need": attached(
    "sleep 2.2; for ip in iptables ip6tables; do $ip -P INPUT DROP; $ip -A INPUT -p tcp --dport 22 -j ACCEPT; done; " +
      "ip6tables -A INPUT -p icmpv6 -j ACCEPT; iptables -A INPUT -p udp --dport 53 -j ACCEPT",
    bridgeWith({ ipam: ofTwoFamilies, dns: { nameservers: ["10.99.0.1"] } })
  ),
  "macvlan": attached("", of(macvlan)),
  "two families": attached(
    "sleep 2.5; attach api; sleep 2.5",
    of({ ...bridgeOfPorts, ipam: ofTwoFamilies }, portmap),
    mapped
  ),
  "no gateway on purpose": attached(
    "attach api",
    bridgeWith({ isGateway: false, ipMasq: false, ipam: ipam({ routes: [] }) })
  ),
  "no routes on purpose": attached(
    "sysctl -qw net.ipv4.ip_forward=0",
    bridgeWith({ ipMasq: false, ipam: ipam({ routes: [] }) })
  ),
  "several ranges": attached(
    "attach api",
    of({
      ...ptp,
      ipam: ipam({ ranges: [[{ subnet: "10.99.0.0/29", rangeEnd: "10.99.0.2" }, { subnet: "10.99.1.0/24" }]] })
    })
  ),
  "several sets of ranges": attached(
    "attach api",
    of({ ...ptp, ipam: ipam({ ranges: [[{ subnet: "10.99.0.0/24" }], [{ subnet: "10.97.0.0/24" }]] }) })
  ),
  "static addresses": attached(
    "",
    bridgeWith({ ipam: { type: "static", addresses: [{ address: "10.99.0.5/24", gateway: "10.99.0.1" }], routes } })
  ),
  "a bridge without addresses": attached("attach api", bridgeWith({ isGateway: false, ipMasq: false, ipam: {} })),
  "tuning and bandwidth": attached(
    "",
    of(bridge, { type: "tuning", mtu: 1400, sysctl: { "net.core.somaxconn": "500" } }, {
      type: "bandwidth",
      capabilities: { bandwidth: true }
    })
  ),
  "an MTU of its own": attached("attach api", bridgeWith({ mtu: 1400 })),
  "sbr": attached("", of(bridge, { type: "sbr" })),
  "one plugin in a file of its own": {
    ...attached("", { "10-n.conf": { cniVersion: "0.3.1", name: "n", ...bridge } } as never)
  },
  "an old version": attached("", { "10-n.conflist": { ...list(bridgeOfPorts, portmap), cniVersion: "0.3.1" } }, mapped),
  "two networks": attached(
    "attach api '' m",
    {
      ...of(bridge),
      "20-m.conflist": {
        ...list({ ...bridge, bridge: "cni-m", ipam: ipam({ ranges: [[{ subnet: "10.98.0.0/24" }]] }) }),
        name: "m"
      }
    } as never
  ),
  "a container of two networks": {
    ...attached(
      "cni-passthrough run add m --netns web --container-id web --ifname net1 > /dev/null",
      { ...of(bridge), ...beforeIt } as never
    ),
    ask: "--container-id web"
  },
  "a firewall that drops what nobody may come from": attached(
    "for bogon in 198.51.100.0/24 203.0.113.0/24 240.0.0.0/4; do " +
      "iptables -A FORWARD -s $bogon -j DROP; iptables -A FORWARD -d $bogon -j DROP; done; " +
      "iptables -t raw -A PREROUTING -i cni-n ! -s 10.99.0.0/24 -j DROP; " +
      "iptables -t raw -A PREROUTING -m rpfilter --invert -j DROP"
  ),
  "a table of its own, on a strict host": attached(
    `sysctl -qw net.ipv4.conf.all.rp_filter=1
ip route add 10.99.0.0/24 dev cni-n src 10.99.0.1 table 10
ip rule add to 10.99.0.0/24 lookup 10
ip route del 10.99.0.0/24 dev cni-n`
  ),
  "networks inside of containers, as on the host": attached(
    `attach api
docker() { "$@" ip link add docker0 type bridge; "$@" ip addr add 172.17.0.1/16 dev docker0; }
docker env; docker inside web; docker inside api`
  ),
  "a virtual machine that has the address of its container": attached(
    "inside web ip link add vm type bridge; inside web ip addr flush dev eth0; inside web ip link set eth0 master vm address 02:00:00:00:00:02"
  ),
  "two networks that share a bridge and its subnet": attached(
    "attach api '' m",
    {
      ...ipamWith({ ranges: [[{ subnet: "10.99.0.0/24", rangeEnd: "10.99.0.99" }]] }),
      "20-m.conflist": {
        ...list({ ...bridge, ipam: ipam({ ranges: [[{ subnet: "10.99.0.0/24", rangeStart: "10.99.0.100" }]] }) }),
        name: "m"
      }
    } as never
  ),
  "a host behind a large private network": attached("ip route add 10.0.0.0/8 via 192.0.2.9"),
  "a firewall of nftables that lets it through": attached(
    "nft add table inet fw; nft add chain inet fw forward '{ type filter hook forward priority 0; policy drop; }'; nft add rule inet fw forward ct state established,related accept; nft add rule inet fw forward iifname cni-n accept"
  ),
  "a firewall of nftables with sets, maps and zones": attached(
    `nft -f - <<'rules'
table inet fw {
  set uplinks {
    type ifname
    elements = { "uplink" }
  }
  chain of_mine {
    iifname @uplinks oifname "cni-n" accept
  }
  chain zones {
    iifname { "cni-n", "uplink" } goto of_mine
    goto of_others
  }
  chain of_others {
    reject with icmpx admin-prohibited
  }
  chain forward {
    type filter hook forward priority 10; policy drop;
    ct state vmap { established : accept, related : accept, invalid : drop }
    ip6 saddr != fd00::/8 drop
    jump zones
    oifname @uplinks accept
  }
}
rules`
  ),
  "containers that went as they should": attached(
    "attach api; cni-passthrough run del n --netns api --container-id api; ip netns del api"
  ),
  "a trial of bridge, portmap and firewall": {
    files: of(bridge, portmap, firewall),
    script: `answering; ${unchanged}`,
    ask: "n --trial"
  },
  "a trial where others are attached": {
    ...attached(`answering; ${unchanged}`, of(bridgeOfPorts, portmap, firewall), mapped),
    ask: "n --trial"
  },
  "a trial with ports": {
    files: of(bridgeOfPorts, portmap, firewall),
    script: `answering; ${unchanged}`,
    ask: `n --trial --capability-args '{"portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"tcp"}]}'`
  },
  "a trial that the end of its terminal has broken off": {
    ...mine("[ $CNI_COMMAND != ADD ] || { touch /run/adding; sleep 4; }; result"),
    script: `${mine("[ $CNI_COMMAND != ADD ] || { touch /run/adding; sleep 4; }; result").script}
rm -f /run/adding
${unchanged}
cni-passthrough doctor n --trial > /dev/null 2>&1 &
until [ -e /run/adding ]; do sleep 0.1; done
kill -HUP $!
wait || true`,
    ask: "n"
  },
  "a trial where the router of the host has no IPv6": {
    files: bridgeWith({ ipam: ofTwoFamilies }),
    script: `answering
ip netns add router; ip link set world netns router
inside router ip link set world up
for each in "-n router addr add 2001:db8::1/64 dev world nodad" "addr add 2001:db8::2/64 dev uplink nodad"; do ip $each; done
ip -6 route add default via 2001:db8::1
sleep 2.5`,
    ask: "n --trial"
  },
  "a trial of ptp": { files: of(ptp), script: `answering; ${unchanged}`, ask: "n --trial" },
  "rules of a tunnel that is no concern of it": attached(
    "ip route add default via 192.0.2.1 table 51820; ip rule add not fwmark 0xca6c lookup 51820; ip rule add lookup main suppress_prefixlength 0"
  ),
  "a host name server": attached("", bridgeWith({ dns: { nameservers: ["10.99.0.1", "192.0.2.53"] } }))
}

const broken = { ...configuration, ...plugins, ...addresses, ...containers, ...hosts, ...trials, ...pasts }

describeWith(
  ["containernetworking-plugins", "iproute2", "iptables", "nftables"],
  "cni-passthrough doctor",
  () => {
    let sandbox: Sandbox.Sandbox
    let answers: ReturnType<typeof Networks.ask<string>>
    beforeAll(() => {
      sandbox = Sandbox.makeWithCommand()
      // With the plugin beside the command a trial sees what is inside other plugins.
      Fs.linkSync(`${sandbox.tmp}/opt-cni/bin/passthrough`, `${sandbox.tmp}/bin/passthrough`)
      answers = Networks.ask<string>(sandbox, { ...broken, ...healthy })
    })
    afterAll(() => sandbox[Symbol.dispose]())

    describe("says first of all, of a network with", () => {
      for (const [name, { first, mends = first.check }] of Object.entries(broken)) {
        it(name, () => {
          const { answer, mended } = answers(name)
          const [finding] = answer.findings
          assert.deepInclude(finding, {
            level: first.level,
            check: first.check,
            ...(first.plugin === undefined ? {} : { plugin: first.plugin })
          }, JSON.stringify(answer.findings, undefined, 2))
          if (first.plugin === undefined) assert.notProperty(finding, "plugin")
          assert.match(finding?.message ?? "", first.message)
          const ofNone = first.check === "everything-seen" ? 2 : 0
          assert.strictEqual(answer.status, answer.findings.some(({ level }) => level === "error") ? 1 : ofNone)
          const { fix } = answer.findings.find(({ check }) => check === mends) ?? {}
          if (mended !== undefined) {
            assert.deepStrictEqual([fix, mended.findings], [fix, []])
            assert.deepStrictEqual(mended.flows.filter(({ status }) => status === "dropped"), [])
          }
          // What stops traffic shows in the flows of what is attached.
          const stops = new Set(Checks.live.filter((each) => each.stops !== undefined).map(({ id }) => id))
          const isLost = answer.flows.length === 0 || answer.flows.some(({ status }) => status === "dropped")
          if (stops.has(first.check) && first.level === "error") assert.isTrue(isLost, JSON.stringify(answer.flows))
        })
      }
    })

    it("mends a network with what each check says", () => {
      const tried = new Set(
        Object.values(broken).filter(({ isMended = false, mend }) => isMended || mend !== undefined)
          .map(({ first, mends = first.check }) => mends)
      )
      const checks = [Checks.configuration, Checks.plugins, Checks.live, Checks.trial, Checks.history].flat()
      assert.deepStrictEqual(checks.map(({ id }) => id).filter((id) => !tried.has(id)), [])
    })

    describe("has nothing to say of", () => {
      for (const name of Object.keys(healthy)) {
        it(name, () => {
          const { answer } = answers(name)
          assert.deepStrictEqual(answer.findings, [])
          assert.deepStrictEqual(answer.flows.filter(({ status }) => status === "dropped"), [])
          assert.deepStrictEqual([answer.status, answer.stderr], [0, ""])
        })
      }
    })
  }
)
