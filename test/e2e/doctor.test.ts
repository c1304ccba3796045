/** `cni-passthrough doctor` on real networks: broken ones, each with what it must say first, and healthy ones. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
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
const ptp = { type: "ptp", ipMasq: true, ipam: ipam() }
const macvlan = {
  type: "macvlan",
  master: "uplink",
  ipam: {
    ...ipam({ ranges: [[{ subnet: "192.0.2.0/24", rangeStart: "192.0.2.50", gateway: "192.0.2.2" }]] }),
    routes: []
  }
}
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
const attached = (script: string, files = of(bridge), before = "attach web") => ({
  files,
  script: `${before}\n${script}`
})

const text = JSON.stringify(list(bridge), undefined, 2)

/** Writes these files anew, as an editor does. */
const put = (files: { readonly [name: string]: object }): string =>
  Object.entries(files).map(([name, content]) => `printf '%s' '${JSON.stringify(content)}' > /etc/cni/net.d/${name}`)
    .join("; ")

/** Puts one of the plugins of the host into the folder of plugins of its own. */
const install = (name: string, plugin = name): string =>
  `rm -f /run/plugins/${name}; cp /usr/lib/cni/${plugin} /run/plugins/${name}`

/** Each is mended as its first finding says, and asked about again. */
type Broken = Networks.Network & ({ readonly isMended: true } | { readonly mend: string }) & {
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
    mend: "edit 's/\"cni-n,/\"cni-n\",/'"
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
    mend: "edit 's/my net/n/'"
  },
  "a version that nobody knows": {
    files: { "10-n.conflist": { ...list(bridge, portmap, firewall), cniVersion: "3.0.0" } },
    ...own("specification", undefined, /^cniVersion: found "3.0.0"/),
    mend: "edit 's/3.0.0/1.0.0/'"
  },
  "no plugins": {
    files: { "10-n.conflist": list() },
    ...own("specification", undefined, /^plugins: found an empty list/),
    mend: put(of(bridge))
  },
  "a plugin without a type": {
    files: of(bridge, { capabilities: {} }),
    ...own("specification", undefined, /^plugins\[1\]\.type: found nothing/),
    mend: put(of(bridge, portmap))
  },
  "a key that is there twice": {
    files: { "10-n.conflist": text.replace(`"isGateway"`, `"mtu": 1400, "mtu": 1450, "isGateway"`) },
    ...own("duplicate-keys", undefined, /the key "mtu" is there twice/, "warning"),
    mend: "edit 's/\"mtu\": 1400, //'"
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
    mend: "edit 's/hookAdd/hookADD/'"
  },
  "a field of the tap of the wrong type": {
    files: of(bridge, { ...tap, hookADD: "true" }),
    ...own("plugin-fields", "passthrough", /hookADD: found "true", expected a list of commands/),
    mend: "edit 's/:\"true\"/:[\"true\"]/'"
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
    mend: "edit 's/5000/50/'"
  },
  "a bridge with a name that is too long": {
    files: bridgeWith({ bridge: "a-very-long-bridge-name" }),
    ...own("plugin-fields", "bridge", /at most 15 bytes/),
    mend: "edit 's/a-very-long-bridge-name/cni-n/'"
  },
  "hairpin and promiscuous mode": {
    files: bridgeWith({ hairpinMode: true, promiscMode: true }),
    ...own("chain-order", "bridge", /refuses hairpinMode and promiscMode/),
    mend: "edit 's/,\"promiscMode\":true//'"
  },
  "a mode that macvlan does not have": {
    files: of({ ...macvlan, mode: "brigde" }),
    ...own("plugin-fields", "macvlan", /mode: found "brigde"/),
    mend: "edit 's/brigde/bridge/'"
  },
  "a switch of portmap in quotes": {
    files: of(bridge, { ...portmap, snat: "yes" }),
    ...own("plugin-fields", "portmap", /snat: found "yes"/),
    mend: "edit 's/\"yes\"/true/'"
  },
  "a policy that firewall does not have": {
    files: of(bridge, { ...firewall, ingressPolicy: "closed" }),
    ...own("plugin-fields", "firewall", /ingressPolicy: found "closed"/),
    mend: "edit 's/closed/same-bridge/'"
  },
  "a backend that firewall passes over": {
    files: of(bridge, { ...firewall, backend: "nftables" }),
    ...own("plugin-fields", "firewall", /backend: found "nftables"/, "warning"),
    mend: "edit 's/nftables/iptables/'"
  },
  "a sysctl that tuning refuses": {
    files: of(bridge, { type: "tuning", sysctl: { "kernel.pid_max": "1" } }),
    ...own("plugin-fields", "tuning", /"kernel\.pid_max"/),
    mend: "edit 's/kernel.pid_max/net.core.somaxconn/'"
  },
  "a rate in quotes": {
    files: of(bridge, { type: "bandwidth", ingressRate: "1M" }),
    ...own("plugin-fields", "bandwidth", /ingressRate: found "1M"/),
    mend: "edit 's/\"1M\"/1000000,\"ingressBurst\":1000000/'"
  },
  "ranges that are flat": {
    files: ipamWith({ ranges: [{ subnet: "10.99.0.0/24" }] }),
    ...own("plugin-fields", "host-local", /\[\[\{ "subnet": … \}\]\]/),
    mend: "edit 's/:.{\"subnet\":\"10.99.0.0.24\"}./:[[{\"subnet\":\"10.99.0.0\\/24\"}]]/'"
  },
  "a subnet without a length": {
    files: ipamWith({ ranges: [[{ subnet: "10.99.0.0" }]] }),
    ...own("plugin-fields", "host-local", /subnet: found "10\.99\.0\.0"/),
    mend: "edit 's/10.99.0.0\"/10.99.0.0\\/24\"/'"
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
  "a range that starts outside": {
    files: ipamWith({ ranges: [[{ subnet: "10.99.0.0/24", rangeStart: "10.99.1.5" }]] }),
    ...own("addressing", "host-local", /rangeStart: 10\.99\.1\.5 is not in/),
    mend: "edit 's/10.99.1.5/10.99.0.5/'"
  },
  "a range the wrong way round": {
    files: ipamWith({ ranges: [[{ subnet: "10.99.0.0/24", rangeStart: "10.99.0.9", rangeEnd: "10.99.0.5" }]] }),
    ...own("addressing", "host-local", /after the end of the range/),
    mend: "edit 's/10.99.0.9/10.99.0.4/'"
  },
  "both families in one set": {
    files: ipamWith({ ranges: [[{ subnet: "10.99.0.0/24" }, { subnet: "fd99::/64" }]] }),
    ...own("addressing", "host-local", /both families in one set/),
    mend: put(ipamWith({ ranges: [[{ subnet: "10.99.0.0/24" }], [{ subnet: "fd99::/64" }]] }))
  },
  "no range": {
    files: bridgeWith({ ipam: { type: "host-local" } }),
    ...own("addressing", "host-local", /no range of addresses/),
    mend: put(bridgeWith({ ipam: { type: "host-local", ranges: [[{ subnet: "10.99.0.0/24" }]] } }))
  },
  "a route over a gateway elsewhere": {
    files: ipamWith({ routes: [{ dst: "0.0.0.0/0", gw: "192.168.9.1" }] }),
    ...own("addressing", "host-local", /192\.168\.9\.1 is in no subnet/),
    mend: "edit 's/192.168.9.1/10.99.0.1/'"
  },
  "a resolv.conf that is not there": {
    files: ipamWith({ resolvConf: "/etc/no-such-resolv.conf" }),
    ...own("addressing", "host-local", /no file \/etc\/no-such-resolv\.conf/),
    mend: "edit 's/no-such-resolv/resolv/'"
  },
  "two gateways for one bridge": {
    files: ipamWith({ ranges: [[{ subnet: "10.99.0.0/24" }], [{ subnet: "10.97.0.0/24" }]] }),
    ...own("bridge-gateways", "bridge", /found 2 gateways of IPv4/),
    mend: put(of(bridge))
  },
  "two default routes": {
    files: bridgeWith({ isDefaultGateway: true }),
    ...own("bridge-gateways", "bridge", /isDefaultGateway adds a default route/),
    mend: "edit 's/{\"dst\":\"0.0.0.0.0\"}//'"
  },
  "static without an address": {
    files: bridgeWith({ ipam: { type: "static" } }),
    ...own("addressing", "static", /no address/),
    mend: put(bridgeWith({ ipam: { type: "static", addresses: [{ address: "10.99.0.5/24" }] } }))
  },
  "static with a gateway elsewhere": {
    files: bridgeWith({ ipam: { type: "static", addresses: [{ address: "10.99.0.5/24", gateway: "10.98.0.1" }] } }),
    ...own("addressing", "static", /10\.98\.0\.1 is not in the subnet/),
    mend: "edit 's/10.98.0.1/10.99.0.1/'"
  },
  "portmap before bridge": {
    files: of(portmap, bridge),
    ...own("chain-order", "portmap", /stands first/),
    mend: put(of(bridge, portmap))
  },
  "two plugins that make eth0": {
    files: of(bridge, macvlan),
    ...own("chain-order", "macvlan", /bridge has made already/),
    mend: put(of(bridge))
  },
  "ptp without addresses": {
    files: of({ type: "ptp" }),
    ...own("chain-order", "ptp", /ptp needs addresses/),
    mend: put(of(ptp))
  },
  "a capability that nobody declares": {
    files: of(bridge, { type: "portmap" }),
    script: "attach web \"$(port 8080)\"",
    ...own("capabilities", "portmap", /declares the capability portMappings/),
    mend: `${put(of(bridge, portmap))}; again web "$(port 8080)"`
  },
  "a capability that is given and not taken": {
    files: of(bridge),
    ask: `n --capability-args '{"portMappings":[{"hostPort":80,"containerPort":80}]}'`,
    ...own("capabilities", undefined, /declares the capability portMappings/),
    mend: put(of(bridge, portmap))
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
    mend: put(of(bridge))
  },
  "another name than the one that is asked for": {
    files: { "10-x.conflist": { ...list(bridge), name: "pods" } },
    ask: "pod",
    ...own("network-found", undefined, /did you mean pods/),
    mend: "sed -i s/pods/pod/ /etc/cni/net.d/10-x.conflist"
  }
}

const script = (words: string) => `#!/bin/sh\n${words}\n`

const plugins: { readonly [name: string]: Broken } = {
  "a plugin that is missing": {
    files: of(bridge, { type: "calico" }),
    ...own("plugin-file", "calico", /calico is not in/),
    mend: "plugins; cp /usr/lib/cni/tuning /run/plugins/calico"
  },
  "an IPAM plugin that is missing": {
    files: bridgeWith({ ipam: { type: "whereabouts" } }),
    ...own("plugin-file", "whereabouts", /whereabouts is not in/),
    mend: "plugins; cp /usr/lib/cni/host-local /run/plugins/whereabouts"
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
    mend: "rmdir /run/plugins/mine; cp /usr/lib/cni/tuning /run/plugins/mine"
  },
  "a link to nothing in the place of a plugin": {
    files: of(bridge, { type: "mine" }),
    script: "plugins; ln -s nothing /run/plugins/mine",
    ...own("plugin-file", "mine", /symbolic link/),
    mend: "ln -sf /usr/lib/cni/tuning /run/plugins/mine"
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
    mend: install("bridge")
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
    ask: "n --timeout 500ms",
    ...own("plugin-version", "bridge", /did not end within 0\.5 s/),
    mend: install("bridge")
  },
  "a plugin that forks and goes": {
    files: of(bridge),
    script: `plugin bridge '${script("sleep 600 & exit 0")}'`,
    ask: "n --timeout 500ms",
    ...own("plugin-version", "bridge", /did not end within 0\.5 s/),
    mend: install("bridge")
  },
  "a plugin that prints without end": {
    files: of(bridge),
    script: `plugin bridge '${script("exec yes")}'`,
    ask: "n --timeout 500ms",
    ...own("plugin-version", "bridge", /did not end within 0\.5 s/),
    mend: install("bridge")
  },
  "a version that plugins do not speak": {
    files: { "10-n.conflist": { ...list(bridge, portmap), cniVersion: "1.1.0" } },
    ...own("plugin-version", "bridge", /speaks .*, and not 1\.1\.0/),
    mend: "edit 's/1[.]1[.]0/1.0.0/'"
  },
  "no iptables": {
    files: of(bridge, portmap),
    script: "PATH=/tmp/bin:/usr/bin:/bin; ! command -v iptables",
    ...own("plugin-tools", "bridge", /bridge needs iptables/),
    mend: "PATH=$PATH:/usr/sbin:/sbin"
  },
  "a master that is not there": {
    files: of({ ...macvlan, master: "eth9" }),
    ...own("master-link", "macvlan", /no link eth9/),
    mend: "edit 's/eth9/uplink/'"
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
    mend: "mkdir -p /run/cni; /usr/lib/cni/dhcp daemon & trap \"kill $!\" EXIT; sleep 0.5"
  }
}

/** Files of host-local, as those leave them who are killed. */
const reserve = (address: string, id: string) =>
  `mkdir -p /var/lib/cni/networks/n; printf '${id}\\r\\neth0' > /var/lib/cni/networks/n/${address}`
const small = ipamWith({ ranges: [[{ subnet: "10.99.0.0/29" }]] })

const addresses: { readonly [name: string]: Broken } = {
  "a range that living containers use up": {
    files: ipamWith({ ranges: [[{ subnet: "10.99.0.0/30" }]] }),
    script: "attach web",
    ...own("range-exhausted", "host-local", /the only address of 10\.99\.0\.1-10\.99\.0\.2 is taken: the next/),
    mend: "detach web; ip link del cni-n; edit 's/10.99.0.0.30/10.99.0.0\\/24/'; again web"
  },
  "a range that containers use up that are gone": {
    files: small,
    script: `attach web\nfor i in 3 4 5 6; do ${reserve("10.99.0.$i", "gone$i").replaceAll("'", "\"")}; done`,
    ...own("range-exhausted", "host-local", /4 of them by containers that are gone/),
    mend: "cni-passthrough leaks n --fix --yes >&2"
  },
  "an address of a container that is gone": {
    files: of(bridge),
    script: `attach web\n${reserve("10.99.0.77", "gone")}`,
    ...own("stale-reservations", "host-local", /10\.99\.0\.77 is reserved for gone/, "warning"),
    mend: "cni-passthrough leaks n --fix --yes >&2"
  },
  "a store that is a file": {
    files: of(bridge),
    script: "mkdir /var/lib/cni/networks; touch /var/lib/cni/networks/n",
    ...own("address-store", "host-local", /\/var\/lib\/cni\/networks\/n cannot be read/),
    isMended: true
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
    mend: "edit 's/10.99.0.0/10.98.0.0/'"
  },
  "a part of the subnet routed elsewhere": {
    files: of(bridge),
    script: "ip route add 10.99.0.128/25 dev uplink",
    ...own("overlapping-subnets", "host-local", /10\.99\.0\.128\/25/, "warning"),
    mend: "ip route del 10.99.0.128/25 dev uplink"
  },
  "a subnet that another network has": {
    files: { ...of(bridge), "20-m.conflist": { ...list({ ...bridge, bridge: "cni-m" }), name: "m" } },
    ...own("overlapping-subnets", "host-local", /of the network m/, "warning"),
    mend: "sed -i s/10.99.0.0/10.98.0.0/ /etc/cni/net.d/20-m.conflist"
  },
  "one address at two containers": {
    ...attached(
      "attach api; inside api ip addr del 10.99.0.3/24 dev eth0; inside api ip addr add 10.99.0.2/24 dev eth0"
    ),
    ask: "n --container-id web",
    ...own("duplicate-address", "host-local", /web and api both have the address|api and web both have/),
    mend: "inside api ip addr del 10.99.0.2/24 dev eth0; inside api ip addr add 10.99.0.3/24 dev eth0; again api"
  }
}

const containers: { readonly [name: string]: Broken } = {
  "a namespace that is gone": {
    ...attached("ip netns del web"),
    ask: "n --container-id web",
    ...own("namespace", undefined, /\/run\/netns\/web is gone/),
    mend: "cni-passthrough leaks n --fix --yes >&2; attach web"
  },
  "a namespace that is a plain file": {
    ...attached("umount /run/netns/web"),
    ...own("namespace", undefined, /is not a network namespace/),
    mend: "rm /run/netns/web; cni-passthrough leaks n --fix --yes >&2; attach web"
  },
  "an attachment that nobody knows": {
    files: of(bridge),
    ask: "n --netns web",
    ...own("attachment-known", undefined, /^libcni's cache has no attachment of the namespace \/run\/netns\/web to n/),
    mend: "attach web"
  },
  "no eth0": {
    ...attached("inside web ip link del eth0"),
    ...own("link", "bridge", /no such link/),
    mend: "again web"
  },
  "eth0 with another name": {
    ...attached("inside web ip link set eth0 down; inside web ip link set eth0 name eth7"),
    ...own("link", "bridge", /no such link/),
    mend: "again web"
  },
  "eth0 that is down": {
    ...attached("inside web ip link set eth0 down"),
    ...own("link-up", "bridge", /eth0 of web is down/),
    mend: "again web"
  },
  "no address": {
    ...attached("inside web ip addr flush dev eth0"),
    ...own("addresses", "bridge", /no address 10\.99\.0\.2\/24/),
    mend: "again web"
  },
  "an address with another length": {
    ...attached("inside web ip addr del 10.99.0.2/24 dev eth0; inside web ip addr add 10.99.0.2/32 dev eth0"),
    ...own("addresses", "bridge", /has 10\.99\.0\.2\/32, expected 10\.99\.0\.2\/24/),
    mend: "again web"
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
  "no bridge": { ...attached("ip link del cni-n"), ...own("bridge", "bridge", /no bridge cni-n/), mend: "again web" },
  "a bridge that is down": {
    ...attached("ip link set cni-n down"),
    ...own("bridge", "bridge", /cni-n is down/),
    isMended: true
  },
  "a device with the name of the bridge": {
    files: of(bridge),
    script: "ip link add cni-n type veth peer name x",
    ...own("bridge", "bridge", /not a bridge but of kind veth/),
    mend: "ip link del cni-n"
  },
  "a bridge without its address": {
    ...attached("ip addr flush dev cni-n"),
    ...own("gateway-address", "bridge", /does not have the address 10\.99\.0\.1\/24/),
    isMended: true
  },
  "a bridge that does not answer": {
    ...attached("inside web ip neigh flush all; ip link set cni-n arp off"),
    ...own("gateway-answers", "bridge", /10\.99\.0\.1 does not answer/),
    mend: "ip link set cni-n arp on"
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
  "an end of ptp that is down": {
    ...attached("ip link set $(host_end) down", of(ptp)),
    ...own("host-end", "ptp", /is down/),
    mend: "again web"
  },
  "a name server that is a name": {
    ...attached("", bridgeWith({ dns: { nameservers: ["dns.example"] } })),
    ...own("name-servers", "bridge", /"dns\.example" is not an IP address/),
    mend: "edit 's/dns.example/10.99.0.1/'; again web"
  },
  "a name server without a way": {
    ...attached("", bridgeWith({ dns: { nameservers: ["192.0.2.53"] }, ipam: ipam({ routes: [] }) })),
    ...own("name-servers", "bridge", /no route from inside leads to the name server 192\.0\.2\.53/),
    mend: `${put(bridgeWith({ dns: { nameservers: ["192.0.2.53"] } }))}; again web`
  },
  "a name server that is the container itself": {
    ...attached("", bridgeWith({ dns: { nameservers: ["127.0.0.53"] } })),
    ...own("name-servers", "bridge", /is the container itself/, "warning"),
    mend: "edit 's/127.0.0.53/10.99.0.1/'; again web"
  },
  "a result in the cache that is of no use": {
    ...attached("sed -i 's/\"ips\": \\[/\"ips\":7,\"was\":[/' /var/lib/cni/results/n-web-eth0"),
    ...own("cached-result", undefined, /the result of its ADD cannot be used/, "warning"),
    mend: "again web"
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
  attached(script, of(bridge, { ...portmap, ...fields }), mapped)
const ofTwoFamilies = ipam({
  ranges: [[{ subnet: "10.99.0.0/24" }], [{ subnet: "fd99::/64" }]],
  routes: [...routes, { dst: "::/0" }]
})
const dual = bridgeWith({ ipam: ofTwoFamilies })

const hosts: { readonly [name: string]: Broken } = {
  "a host that does not forward": {
    ...attached("sysctl -qw net.ipv4.ip_forward=0"),
    ...own("ip-forward", undefined, /net\.ipv4\.ip_forward is 0/),
    mend: "sysctl -qw net.ipv4.ip_forward=1"
  },
  "a host that does not forward IPv6": {
    ...attached("sysctl -qw net.ipv6.conf.all.forwarding=0", dual),
    ...own("ip-forward", undefined, /net\.ipv6\.conf\.all\.forwarding is 0/),
    mend: "sysctl -qw net.ipv6.conf.all.forwarding=1"
  },
  "a bridge that does not forward": {
    ...attached("sysctl -qw net.ipv4.conf.cni-n.forwarding=0"),
    ...own("ip-forward", undefined, /conf\.cni-n\.forwarding is 0/),
    mend: "sysctl -qw net.ipv4.conf.cni-n.forwarding=1"
  },
  "a policy that drops": {
    ...attached("iptables -P FORWARD DROP"),
    ...own("forward-rules", undefined, /dropped by the policy of FORWARD/),
    mend: "iptables -I FORWARD -i cni-n -j ACCEPT; iptables -I FORWARD -o cni-n -j ACCEPT"
  },
  "a rule that drops": {
    ...attached("iptables -I FORWARD -s 10.99.0.0/16 -j DROP"),
    ...own("forward-rules", undefined, /sends is dropped by a rule/),
    isMended: true
  },
  "a rule that drops, with a comment that a shell would run": {
    ...attached("iptables -I FORWARD -s 10.99.0.0/16 -m comment --comment '$(touch /run/ran)`exit`' -j DROP"),
    ...own("forward-rules", undefined, /sends is dropped by a rule/),
    isMended: true
  },
  "a rule that drops answers": {
    ...attached("iptables -A FORWARD -o cni-n -j REJECT"),
    ...own("forward-rules", undefined, /answers to eth0 of web is dropped/),
    isMended: true
  },
  "a chain of another that drops": {
    ...attached("iptables -N MINE; iptables -A MINE -i cni-n -j DROP; iptables -I FORWARD -j MINE"),
    ...own("forward-rules", undefined, /dropped by a rule of FORWARD/),
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
    mend: "again web"
  },
  "masquerading that was flushed": {
    ...attached("iptables -t nat -F POSTROUTING"),
    ...own("masquerade", "bridge", /no rule masquerades 10\.99\.0\.2/),
    mend: "again web"
  },
  "ports that were flushed": {
    ...withPorts("iptables -t nat -F CNI-HOSTPORT-DNAT"),
    ...own("port-mappings", "portmap", /no rule leads from port 8080\/tcp/),
    mend: "again web \"$(port 8080)\""
  },
  "a port that leads to one that is gone": {
    ...withPorts("iptables -t nat -I PREROUTING -p tcp --dport 8080 -j DNAT --to-destination 10.99.0.250:80"),
    ...own("port-mappings", "portmap", /goes to 10\.99\.0\.250:80, expected 10\.99\.0\.2:80/),
    isMended: true
  },
  "a port of two containers": {
    ...withPorts("attach api \"$(port 8080)\""),
    ...own("ports-taken", "portmap", /mapped to two containers/),
    mend: "detach api; ip netns del api; attach api \"$(port 8081)\""
  },
  "a port that somebody listens on": {
    ...withPorts("node -e 'require(\"net\").createServer().listen(8080)' & sleep 0.5"),
    ...own("ports-taken", "portmap", /\(process \d+\) listens on it/, "warning"),
    mend: "kill $!; sleep 0.2"
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
    mend: "edit 's/,\"snat\":false//'; again web \"$(port 8080)\""
  }
}

/** A plugin of its own after bridge, as a script that has its request on stdin and knows the verb. */
const mine = (words: string, timeout = "10s") => ({
  files: of(bridge, { type: "mine" }),
  script: `plugin mine '#!/bin/sh
config=$(cat)
[ $CNI_COMMAND != VERSION ] || { echo "{\\"cniVersion\\":\\"1.0.0\\",\\"supportedVersions\\":[\\"1.0.0\\"]}"; exit; }
result() { echo "$config" | sed "s/.*\\"prevResult\\"://; s/}$//"; }
${words}
'`,
  ask: `n --trial --timeout ${timeout}`
})

const trials: { readonly [name: string]: Broken } = {
  "a plugin that fails its ADD": {
    ...mine(`[ $CNI_COMMAND != ADD ] || { echo "{\\"code\\":7,\\"msg\\":\\"no such zone\\"}"; exit 1; }`),
    ...own("trial-add", "mine", /^ADD fails in mine: code 7: no such zone/),
    mend: install("mine", "tuning")
  },
  "a plugin that answers its ADD with words": {
    ...mine("echo hello"),
    ...own("trial-add", "mine", /without a result that is a JSON object/),
    mend: install("mine", "tuning")
  },
  "a plugin whose ADD hangs": {
    ...mine("[ $CNI_COMMAND != ADD ] || sleep 600; result", "1s"),
    ...own("trial-add", "mine", /did not end within 1s/),
    mend: install("mine", "tuning")
  },
  "a plugin that a signal ends": {
    ...mine("[ $CNI_COMMAND != ADD ] || kill -9 $$"),
    ...own("trial-add", "mine", /killed by SIGKILL/),
    mend: install("mine", "tuning")
  },
  "a plugin that drops the result": {
    ...mine(`[ $CNI_COMMAND != ADD ] || echo "{\\"cniVersion\\":\\"1.0.0\\"}"`),
    ...own("trial-result", "mine", /^mine drops .*address 10\.99\.0\.2\/24/),
    mend: install("mine", "tuning")
  },
  "a plugin that fails its DEL": {
    ...mine("[ $CNI_COMMAND != DEL ] || exit 3; [ $CNI_COMMAND != ADD ] || result"),
    ...own("trial-del", "mine", /^DEL fails in mine/),
    mend: install("mine", "tuning")
  },
  "a plugin that fails its CHECK": {
    ...mine("[ $CNI_COMMAND != CHECK ] || exit 3; [ $CNI_COMMAND != ADD ] || result"),
    ...own("trial-check", "mine", /^CHECK fails in mine/, "warning"),
    mend: install("mine", "tuning")
  },
  "a plugin whose DEL leaves all as it is": {
    files: of(bridge),
    script: `plugin bridge '#!/bin/sh
[ "$CNI_COMMAND" != DEL ] || exit 0
exec /usr/lib/cni/bridge
'`,
    ask: "n --trial",
    ...own("trial-left", "bridge", /^after DEL there is still /),
    mend: install("bridge")
  },
  "an IPAM plugin that fails": {
    files: bridgeWith({ ipam: { type: "host-local", ranges: [[{ subnet: "10.99.0.0/24" }]] } }),
    script:
      "mkdir -p /var/lib/cni/networks/n; touch /var/lib/cni/networks/n/lock; mount --bind -o ro /var/lib/cni/networks/n /var/lib/cni/networks/n; mount -o remount,ro,bind /var/lib/cni/networks/n",
    ask: "n --trial",
    ...own("trial-add", "host-local", /^ADD fails in bridge/),
    mend: "umount /var/lib/cni/networks/n"
  }
}

/** Operations with a log. */
const logged = (script: string, files: Networks.Network["files"] = of(bridge, portmap)) => ({
  files,
  script: `run() { # VERB [CAPABILITY ARGUMENTS [NAMESPACE]]
  cni-passthrough run $1 n --netns \${3-web} --container-id web \${2:+--capability-args "$2"} --log /run/n.jsonl >/dev/null
}
ip netns add web
${script}`,
  ask: "n --log /run/n.jsonl"
})

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

const history: { readonly [name: string]: Broken } = {
  "an ADD that failed, of a plugin that works by now": {
    ...logged(
      `${
        mine("[ ! -e /run/full ] || { echo \"{\\\"code\\\":11,\\\"msg\\\":\\\"no addresses\\\"}\"; exit 1; }; result")
          .script
      }
touch /run/full; ! run add 2>/dev/null; rm /run/full`,
      of(bridge, { type: "mine" })
    ),
    ...own("last-failure", "mine", /^the last ADD of eth0 of web, at \S+, failed: mine: code 11: no addresses/),
    mend: "run del; run add"
  },
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
  "an ADD without a DEL": {
    ...logged(
      "run add; ip netns del web; mv /var/lib/cni/results/* /run",
      bridgeWith({ ipMasq: false, ipam: { type: "static", addresses: [{ address: "10.99.0.5/24" }], routes } })
    ),
    ...own("add-without-del", undefined, /eth0 of web had an ADD at \S+, and no DEL after it/, "warning"),
    mend: "mv /run/n-web-eth0 /var/lib/cni/results; run del '' /run/netns/web"
  },
  "a DEL without the port mappings of its ADD": {
    ...logged("run add \"$(port 8080)\"; rm /var/lib/cni/results/*; run del"),
    ...own("del-with-less", undefined, /^eth0 of web was detached with less .*, without .*portMappings/, "warning"),
    mend: "run add \"$(port 8080)\"; run del"
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
  "bridge, portmap and firewall with ports, and a policy that drops": attached(
    "iptables -P FORWARD DROP; attach api \"$(port 8081)\"",
    of(bridge, portmap, firewall),
    mapped
  ),
  "taps between plugins": attached("", of(bridge, tap, portmap, tap, firewall, tap), mapped),
  "ptp": attached("attach api", of(ptp, portmap), mapped),
  "macvlan": attached("", of(macvlan)),
  "two families": attached("sleep 2.5; attach api; sleep 2.5", of({ ...bridge, ipam: ofTwoFamilies }, portmap), mapped),
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
  "an old version": attached("", { "10-n.conflist": { ...list(bridge, portmap), cniVersion: "0.3.1" } }, mapped),
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
  "a host behind a large private network": attached("ip route add 10.0.0.0/8 via 192.0.2.9"),
  "a firewall of nftables that lets it through": attached(
    "nft add table inet fw; nft add chain inet fw forward '{ type filter hook forward priority 0; policy drop; }'; nft add rule inet fw forward ct state established,related accept; nft add rule inet fw forward iifname cni-n accept"
  ),
  "containers that went as they should": attached(
    "attach api; cni-passthrough run del n --netns api --container-id api; ip netns del api"
  ),
  "a trial of bridge, portmap and firewall": {
    files: of(bridge, portmap, firewall),
    script: unchanged,
    ask: "n --trial"
  },
  "a trial where others are attached": {
    ...attached(unchanged, of(bridge, portmap, firewall), mapped),
    ask: "n --trial"
  },
  "a trial with ports": {
    files: of(bridge, portmap, firewall),
    script: unchanged,
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
  "a trial of ptp": { files: of(ptp), script: unchanged, ask: "n --trial" },
  "rules of a tunnel that is no concern of it": attached(
    "ip route add default via 192.0.2.1 table 51820; ip rule add not fwmark 0xca6c lookup 51820; ip rule add lookup main suppress_prefixlength 0"
  ),
  "a host name server": attached("", bridgeWith({ dns: { nameservers: ["10.99.0.1", "192.0.2.53"] } }))
}

const broken = { ...configuration, ...plugins, ...addresses, ...containers, ...hosts, ...trials, ...history }

/** Checks whose findings cannot come first here. */
const others = [
  "everything-seen", // asks who is not root, see doctorRights.test.ts
  "rp-filter" // comes with host-route, which says that the way back is another
]

describe("the broken networks", () => {
  it("are of every check", () => {
    const all = [...Checks.configuration, ...Checks.plugins, ...Checks.live, ...Checks.trial, ...Checks.history]
    const shown = new Set([...others, ...Object.values(broken).map(({ first: { check } }) => check)])
    assert.deepStrictEqual(all.map(({ id }) => id).filter((id) => !shown.has(id)), [])
  })
})

describeWith(
  ["containernetworking-plugins", "iproute2", "iptables", "nftables"],
  "cni-passthrough doctor",
  () => {
    let sandbox: Sandbox.Sandbox
    let answers: ReturnType<typeof Networks.ask<string>>
    beforeAll(() => {
      sandbox = Sandbox.makeWithCommand()
      answers = Networks.ask<string>(sandbox, { ...broken, ...healthy })
    }, 600_000)
    afterAll(() => sandbox[Symbol.dispose]())

    describe("says first of all, of a network with", () => {
      for (const [name, { first }] of Object.entries(broken)) {
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
          assert.strictEqual(answer.status, answer.findings.some(({ level }) => level === "error") ? 1 : 0)
          if (mended !== undefined) assert.deepStrictEqual(mended.findings, [], `after: ${finding?.fix}`)
        })
      }
    })

    describe("has nothing to say of", () => {
      for (const name of Object.keys(healthy)) {
        it(name, () => {
          const { answer } = answers(name)
          assert.deepStrictEqual(answer.findings, [])
          assert.deepStrictEqual([answer.status, answer.stderr], [0, ""])
        })
      }
    })
  }
)
