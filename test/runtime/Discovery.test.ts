/** The runtimes of a host, by its files. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Discovery from "../../src/runtime/Discovery.ts"
import { files, reversed } from "../support/files.ts"
import { temporary } from "../support/plugin.ts"
import { itAsRoot } from "../support/requirements.ts"

/** The runtimes of a host with these files: `NAME: FOLDERS (SOURCE)`. */
const found = (files: { readonly [path: string]: string }) =>
  Effect.gen(function*() {
    using root = temporary()
    for (const [file, text] of Object.entries(files)) {
      const path = Path.join(root.path, file)
      Fs.mkdirSync(Path.dirname(path), { recursive: true })
      Fs.writeFileSync(path, text)
    }
    const runtimes = yield* Discovery.find(root.path)
    return runtimes.map(({ name, pluginFolders, source }) =>
      `${name}: ${pluginFolders?.join(":") ?? "none"} (${source})`
    )
  }).pipe(Effect.provide(reversed))

const process = (...words: ReadonlyArray<string>) => `${words.join("\0")}\0`

describe("a process that calls itself like a runtime", () => {
  it.effect("is none of this host's if it is another user's", () =>
    Effect.gen(function*() {
      using root = temporary()
      Fs.mkdirSync(`${root.path}/proc/9`, { recursive: true })
      Fs.writeFileSync(`${root.path}/proc/9/cmdline`, process("containerd"))
      const owned = (uid: number) =>
        files((fs) => ({
          stat: (path) =>
            Effect.map(fs.stat(path), (info) => ({ ...info, uid: Option.some(path.endsWith("/9") ? uid : 0) }))
        }))
      assert.deepStrictEqual(yield* Effect.provide(Discovery.find(root.path), owned(1000)), [])
      assert.lengthOf(yield* Effect.provide(Discovery.find(root.path), owned(0)), 1)
    }))

  it.effect("counts where the kernel does not say which files it sees, or which the first process sees", () =>
    Effect.gen(function*() {
      for (const known of ["1", "9"]) {
        using root = temporary()
        for (const pid of ["1", "9"]) Fs.mkdirSync(`${root.path}/proc/${pid}/ns`, { recursive: true })
        Fs.writeFileSync(`${root.path}/proc/9/cmdline`, process("containerd"))
        Fs.symlinkSync("mnt:[1]", `${root.path}/proc/${known}/ns/mnt`)
        assert.lengthOf(yield* Effect.provide(Discovery.find(root.path), NodeServices.layer), 1)
      }
    }))

  it.effect("is no file of /proc that is not of a process", () =>
    Effect.gen(function*() {
      for (const name of ["self", "9x", "x9"]) {
        assert.deepStrictEqual(yield* found({ [`proc/${name}/cmdline`]: process("containerd") }), [], name)
      }
    }))

  it.effect("is none where it has ended, or has no words", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* found({ "proc/9/status": "", "proc/10/cmdline": "" }), [])
    }))

  it.effect("is none of this host's if it sees other files than the first process", () =>
    Effect.gen(function*() {
      using root = temporary()
      for (const [pid, mounts] of [["1", "mnt:[1]"], ["9", "mnt:[2]"]] as const) {
        Fs.mkdirSync(`${root.path}/proc/${pid}/ns`, { recursive: true })
        Fs.writeFileSync(`${root.path}/proc/${pid}/cmdline`, process(pid === "9" ? "containerd" : "init"))
        Fs.symlinkSync(mounts, `${root.path}/proc/${pid}/ns/mnt`)
      }
      assert.deepStrictEqual(yield* Effect.provide(Discovery.find(root.path), NodeServices.layer), [])
      Fs.unlinkSync(`${root.path}/proc/9/ns/mnt`)
      Fs.symlinkSync("mnt:[1]", `${root.path}/proc/9/ns/mnt`)
      assert.lengthOf(yield* Effect.provide(Discovery.find(root.path), NodeServices.layer), 1)
    }))

  it.effect("cannot hold us up with a configuration that is a pipe", () =>
    Effect.gen(function*() {
      using root = temporary()
      Fs.mkdirSync(`${root.path}/proc/9`, { recursive: true })
      ChildProcess.execFileSync("mkfifo", [`${root.path}/pipe`])
      Fs.writeFileSync(`${root.path}/proc/9/cmdline`, process("containerd", "--config", "/pipe"))
      const [runtime] = yield* Effect.provide(Discovery.find(root.path), NodeServices.layer)
      assert.strictEqual(runtime?.source, "its default")
    }))

  it.effect("counts where its mounts cannot be told", () =>
    Effect.gen(function*() {
      using root = temporary()
      Fs.mkdirSync(`${root.path}/proc/1/ns`, { recursive: true })
      Fs.mkdirSync(`${root.path}/proc/9`)
      Fs.symlinkSync("mnt:[1]", `${root.path}/proc/1/ns/mnt`)
      Fs.writeFileSync(`${root.path}/proc/9/cmdline`, process("containerd"))
      assert.lengthOf(yield* Effect.provide(Discovery.find(root.path), NodeServices.layer), 1)
    }))

  it.effect("is one of a number, and no other folder there", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* found({ "proc/self/cmdline": process("containerd") }), [])
      assert.deepStrictEqual(yield* found({ "proc/12a/cmdline": process("containerd") }), [])
    }))

  itAsRoot("is none of this host's if it is another user's than the folder of all processes", async () => {
    using root = temporary()
    Fs.mkdirSync(`${root.path}/proc/9`, { recursive: true })
    Fs.writeFileSync(`${root.path}/proc/9/cmdline`, process("containerd"))
    const runtimes = () => Effect.runPromise(Effect.provide(Discovery.find(root.path), NodeServices.layer))
    assert.lengthOf(await runtimes(), 1)
    Fs.chownSync(`${root.path}/proc/9`, 1000, 0)
    assert.lengthOf(await runtimes(), 0)
  })
})

describe("a configuration", () => {
  const of = (text: string) =>
    Effect.map(
      found({ "proc/812/cmdline": process("containerd"), "etc/containerd/config.toml": text }),
      ([line]) => line
    )
  const byDefault = "containerd: /opt/cni/bin (its default)"
  const texts: ReadonlyArray<readonly [text: string, line: string]> = [
    [`bin_dir = "/a"`, "containerd: /a (/etc/containerd/config.toml)"],
    [`\tbin_dir\t=\t'/a' # why`, "containerd: /a (/etc/containerd/config.toml)"],
    [`bin_dirs = ["", "/a"]`, "containerd: /a (/etc/containerd/config.toml)"],
    [`bin_dir = "/b"\nbin_dirs = ["/a"]`, "containerd: /a (/etc/containerd/config.toml)"],
    [`bin_dirs = []\nbin_dir = "/b"`, "containerd: /b (/etc/containerd/config.toml)"],
    [`bin_dir = ""`, byDefault],
    [`bin_dirs = []`, byDefault],
    [`# bin_dir = "/a"`, byDefault],
    [`my_bin_dir = "/a"`, byDefault],
    [`bin_dir_2 = "/a"`, byDefault],
    [`bin_dir = /a`, byDefault],
    [`bin_dir = "/a"${" ".repeat(1_048_576 - 14)}`, "containerd: /a (/etc/containerd/config.toml)"],
    [`bin_dir = "/a"${" ".repeat(1_048_577 - 14)}`, byDefault]
  ]
  for (const [text, line] of texts) {
    it.effect(`has the folders that it names, up to a megabyte: ${text.slice(0, 40).trim()} of ${text.length}`, () =>
      Effect.gen(function*() {
        assert.strictEqual(yield* of(text), line)
      }))
  }
})

describe("containerd", () => {
  it.effect("is found by its process, with its default folder", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* found({ "proc/812/cmdline": process("/usr/bin/containerd") }), [
        "containerd: /opt/cni/bin (its default)"
      ])
      assert.deepStrictEqual(yield* found({ "proc/812/cmdline": process("/usr/bin/containerd-shim-runc-v2") }), [])
    }))

  it.effect("has the folders of its configuration, in both forms", () =>
    Effect.gen(function*() {
      const of = (text: string) =>
        found({ "proc/812/cmdline": process("containerd"), "etc/containerd/config.toml": text })
      assert.deepStrictEqual(yield* of(`[plugins.x.cni]\n  # bin_dir = "/no"\n  bin_dir = "/usr/lib/cni"\n`), [
        "containerd: /usr/lib/cni (/etc/containerd/config.toml)"
      ])
      assert.deepStrictEqual(yield* of(`bin_dir = ""\nbin_dirs = ['/a',\n  '/b']\n`), [
        "containerd: /a:/b (/etc/containerd/config.toml)"
      ])
    }))

  it.effect("has the folders of the file that its command line names, as that of k3s does", () =>
    Effect.gen(function*() {
      const config = "/var/lib/rancher/k3s/agent/etc/containerd/config.toml"
      for (const words of [["-c", config], ["--config", config], [`-c=${config}`], [`--config=${config}`]]) {
        assert.deepStrictEqual(
          yield* found({
            "proc/9/cmdline": process("containerd", ...words),
            [config]: `bin_dir = "/var/lib/rancher/k3s/data/cni"`
          }),
          [`containerd: /var/lib/rancher/k3s/data/cni (${config})`]
        )
      }
    }))

  it.effect("has a configuration of a megabyte at most", () =>
    Effect.gen(function*() {
      const of = (length: number) =>
        found({
          "proc/812/cmdline": process("containerd"),
          "etc/containerd/config.toml": `bin_dir = "/p"\n`.padEnd(length, "#")
        })
      assert.deepStrictEqual(yield* of(1_048_576), ["containerd: /p (/etc/containerd/config.toml)"])
      assert.deepStrictEqual(yield* of(1_048_577), ["containerd: /opt/cni/bin (its default)"])
    }))
})

describe("a flag that only begins like that of the configuration", () => {
  for (const words of [["--configuration=/x"], ["-config-path", "/x"], ["-cx"], ["x-c=/x"], ["--config"]]) {
    it.effect(`does not name it: ${words.join(" ")}`, () =>
      Effect.gen(function*() {
        const files = { "proc/9/cmdline": process("containerd", ...words), x: `bin_dir = "/x"` }
        assert.deepStrictEqual(yield* found({ ...files, "etc/containerd/config.toml": `bin_dir = "/a"` }), [
          words.length === 1 && words[0] === "--config"
            ? "containerd: /opt/cni/bin (its default)"
            : "containerd: /a (/etc/containerd/config.toml)"
        ])
      }))
  }
})

describe("CRI-O", () => {
  it.effect("is found by its process, with its default folders", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* found({ "proc/7/cmdline": process("/usr/bin/crio") }), [
        "CRI-O: /opt/cni/bin:/usr/libexec/cni (its default)"
      ])
    }))

  it.effect("has the folders of its configuration where no drop-in names any", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(
        yield* found({
          "proc/7/cmdline": process("crio"),
          "etc/crio/crio.conf": `plugin_dirs = ["/a"]`,
          "etc/crio/crio.conf.d/10-x.conf.bak": `plugin_dirs = ["/b"]`
        }),
        ["CRI-O: /a (/etc/crio/crio.conf)"]
      )
    }))

  it.effect("has the folders of the last of two drop-ins", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(
        yield* found({
          "proc/7/cmdline": process("crio"),
          "etc/crio/crio.conf.d/10-x.conf": `plugin_dirs = ["/a"]`,
          "etc/crio/crio.conf.d/20-y.conf": `plugin_dirs = ["/b"]`
        }),
        ["CRI-O: /b (/etc/crio/crio.conf.d/20-y.conf)"]
      )
    }))

  it.effect("has the folders of its last drop-in that names any", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(
        yield* found({
          "proc/7/cmdline": process("/usr/bin/crio"),
          "etc/crio/crio.conf": `plugin_dirs = ["/a"]`,
          "etc/crio/crio.conf.d/10-x.conf": `plugin_dirs = [\n"/b",\n"/c",\n]`,
          "etc/crio/crio.conf.d/20-y.conf": `log_level = "info"`
        }),
        ["CRI-O: /b:/c (/etc/crio/crio.conf.d/10-x.conf)"]
      )
    }))

  it.effect("has the folders of the strongest drop-in, without those that are empty", () =>
    Effect.gen(function*() {
      const folder = "etc/crio/crio.conf.d"
      assert.deepStrictEqual(
        yield* found({
          "proc/7/cmdline": process("crio"),
          [`${folder}/20-b.conf`]: `plugin_dirs = ["/20"]`,
          [`${folder}/30-c.conf`]: `plugin_dirs = ["", "/30"]`,
          [`${folder}/10-a.conf`]: `plugin_dirs = ["/10"]`,
          [`${folder}/40-d.conf~`]: `plugin_dirs = ["/40"]`
        }),
        [`CRI-O: /30 (/${folder}/30-c.conf)`]
      )
    }))

  it.effect("has those of its configuration, or else its default", () =>
    Effect.gen(function*() {
      const crio = { "proc/7/cmdline": process("crio") }
      assert.deepStrictEqual(yield* found({ ...crio, "etc/crio/crio.conf": `plugin_dirs = ["/a"]` }), [
        "CRI-O: /a (/etc/crio/crio.conf)"
      ])
      assert.deepStrictEqual(yield* found(crio), ["CRI-O: /opt/cni/bin:/usr/libexec/cni (its default)"])
    }))
})

describe("podman", () => {
  const chosen = "var/lib/containers/storage/defaultNetworkBackend"

  it.effect("calls no plugins where its storage was made with netavark", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* found({ [chosen]: "netavark" }), [`podman: none (/${chosen})`])
    }))

  it.effect("does what its configuration says, whatever its storage was made with", () =>
    Effect.gen(function*() {
      const conf = "etc/containers/containers.conf"
      const file = `[network]\n#network_backend = ""\nnetwork_backend = "cni"\ncni_plugin_dirs = ["/p"]\n`
      assert.deepStrictEqual(yield* found({ [chosen]: "netavark", [conf]: file }), [`podman: /p (/${conf})`])
    }))

  const folders = "/usr/local/libexec/cni:/usr/libexec/cni:/usr/local/lib/cni:/usr/lib/cni:/opt/cni/bin"

  it.effect("has its default folders where its storage was made with CNI", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* found({ [chosen]: "cni\n" }), [`podman: ${folders} (/${chosen})`])
    }))

  it.effect("calls none where its storage was made with something else", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* found({ [chosen]: "other" }), [])
    }))

  it.effect("has the folders of any of its files, the first of which wins", () =>
    Effect.gen(function*() {
      const [dropIn, etc, share] = [
        "etc/containers/containers.conf.d/10.conf",
        "etc/containers/containers.conf",
        "usr/share/containers/containers.conf"
      ] as const
      const names = (folder: string) => `network_backend = "cni"\ncni_plugin_dirs = ["${folder}"]`
      const all = { [dropIn]: names("/a"), [etc]: names("/b"), [share]: names("/c") }
      assert.deepStrictEqual(yield* found(all), [`podman: /a (/${dropIn})`])
      assert.deepStrictEqual(yield* found({ ...all, [dropIn]: "" }), [`podman: /b (/${etc})`])
      assert.deepStrictEqual(yield* found({ [share]: all[share] }), [`podman: /c (/${share})`])
      assert.deepStrictEqual(yield* found({ [chosen]: "cni", [etc]: `cni_plugin_dirs = ["/d"]` }), [
        `podman: /d (/${etc})`
      ])
      assert.deepStrictEqual(yield* found({ [etc]: `network_backend = "cni"` }), [`podman: ${folders} (/${etc})`])
    }))

  it.effect("is told together with the daemons, after them", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(
        yield* found({
          [chosen]: "netavark",
          "proc/8/cmdline": process("crio"),
          "proc/9/cmdline": process("containerd")
        }),
        [
          "containerd: /opt/cni/bin (its default)",
          "CRI-O: /opt/cni/bin:/usr/libexec/cni (its default)",
          `podman: none (/${chosen})`
        ]
      )
    }))

  it.effect("is not known to call any where no file says so", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* found({ "etc/containers/containers.conf": "[network]\n" }), [])
    }))

  it.effect("looks in five folders where its storage was made with CNI and no file names any", () =>
    Effect.gen(function*() {
      const folders = [
        "/usr/local/libexec/cni",
        "/usr/libexec/cni",
        "/usr/local/lib/cni",
        "/usr/lib/cni",
        "/opt/cni/bin"
      ]
      assert.deepStrictEqual(yield* found({ [chosen]: "cni\n" }), [`podman: ${folders.join(":")} (/${chosen})`])
    }))

  it.effect("calls no plugins where the choice has a line end after it, too", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* found({ [chosen]: "netavark\n" }), [`podman: none (/${chosen})`])
    }))

  const conf = [
    "etc/containers/containers.conf.d/20-b.conf",
    "etc/containers/containers.conf.d/10-a.conf",
    "etc/containers/containers.conf",
    "usr/share/containers/containers.conf"
  ]
  for (const [index, strongest] of conf.entries()) {
    it.effect(`takes folders and backend each from the strongest file that has them: ${strongest}`, () =>
      Effect.gen(function*() {
        const files = Object.fromEntries(conf.slice(index).map((file) => [file, `cni_plugin_dirs = ["/${file}"]\n`]))
        assert.deepStrictEqual(yield* found({ [chosen]: "cni", ...files }), [`podman: /${strongest} (/${strongest})`])
        const backends = Object.fromEntries(conf.slice(index).map((file) => [file, "network_backend = 'netavark'\n"]))
        assert.deepStrictEqual(yield* found({ [chosen]: "cni", ...backends }), [`podman: none (/${strongest})`])
      }))
  }
})

describe("each folder of today's runtimes", () => {
  /** A host with these files: conf and plugins of each runtime. */
  const folders = (files: { readonly [path: string]: string }) =>
    Effect.gen(function*() {
      using root = temporary()
      for (const [file, text] of Object.entries(files)) {
        const path = Path.join(root.path, file)
        Fs.mkdirSync(Path.dirname(path), { recursive: true })
        Fs.writeFileSync(path, text)
      }
      const runtimes = yield* Discovery.find(root.path)
      return runtimes.map(({ confDir, endpoint, name, pluginFolders = [] }) =>
        [name, confDir, pluginFolders.join(":"), ...(endpoint === undefined ? [] : [endpoint])].join(" ")
      )
    }).pipe(Effect.provide(NodeServices.layer))
  const running = (...words: ReadonlyArray<string>) => ({ "proc/9/cmdline": process(...words) })
  const k3s = "/var/lib/rancher/k3s/agent/etc/containerd/config.toml"
  const rke2 = "/var/lib/rancher/rke2/agent/etc/containerd/config.toml"
  const microk8s = "/var/snap/microk8s/current/args/containerd.toml"
  const v2 = (conf: string, bin: string) =>
    `version = 2\n[plugins."io.containerd.grpc.v1.cri".cni]\n  bin_dir = "${bin}"\n  conf_dir = "${conf}"\n`
  const v3 = (conf: string, bin: string) =>
    `version = 3\n[plugins.'io.containerd.cri.v1.runtime'.cni]\n  bin_dir = ''\n  bin_dirs = ['${bin}']\n  conf_dir = '${conf}'\n`
  const socket = "unix:///run/containerd/containerd.sock"
  const cases: { readonly [name: string]: readonly [files: { readonly [path: string]: string }, line: string] } = {
    "containerd by default": [running("containerd"), `containerd /etc/cni/net.d /opt/cni/bin ${socket}`],
    "containerd of version 2": [
      { ...running("containerd"), "etc/containerd/config.toml": v2("/c", "/b") },
      `containerd /c /b ${socket}`
    ],
    "containerd of version 3": [
      { ...running("containerd"), "etc/containerd/config.toml": v3("/c", "/b") },
      `containerd /c /b ${socket}`
    ],
    "containerd of a drop-in": [
      {
        ...running("containerd"),
        "etc/containerd/config.toml": v3("/c", "/b"),
        "etc/containerd/conf.d/1.toml": v3("/e", "/d")
      },
      `containerd /e /d ${socket}`
    ],
    "k3s": [
      {
        ...running("containerd", "-c", k3s, "-a", "/run/k3s/containerd/containerd.sock"),
        [k3s]: v3("/var/lib/rancher/k3s/agent/etc/cni/net.d", "/var/lib/rancher/k3s/data/cni")
      },
      "containerd /var/lib/rancher/k3s/agent/etc/cni/net.d /var/lib/rancher/k3s/data/cni unix:///run/k3s/containerd/containerd.sock"
    ],
    "RKE2": [
      {
        ...running("containerd", "-c", rke2, "-a", "/run/k3s/containerd/containerd.sock"),
        [rke2]: v2("/var/lib/rancher/rke2/agent/etc/cni/net.d", "/var/lib/rancher/rke2/data/v1.30.1-abc/bin")
      },
      "containerd /var/lib/rancher/rke2/agent/etc/cni/net.d /var/lib/rancher/rke2/data/v1.30.1-abc/bin unix:///run/k3s/containerd/containerd.sock"
    ],
    "k3s with its plugins beside its programs, and its socket in the configuration": [
      {
        ...running("containerd", "-c", k3s),
        [k3s]:
          `[ttrpc]\n  address = "/no"\n\n[grpc] # as of 1.30\n  address = "/run/k3s/containerd/containerd.sock"\n\n${
            v2("/var/lib/rancher/k3s/agent/etc/cni/net.d", "/var/lib/rancher/k3s/data/0fd2/bin")
          }`
      },
      "containerd /var/lib/rancher/k3s/agent/etc/cni/net.d /var/lib/rancher/k3s/data/0fd2/bin unix:///run/k3s/containerd/containerd.sock"
    ],
    "RKE2 with the usual folders": [
      {
        ...running("containerd", "-c", rke2),
        [rke2]: `${v3("/etc/cni/net.d", "/opt/cni/bin")}[grpc]\n  address = '/run/k3s/containerd/containerd.sock'\n`
      },
      "containerd /etc/cni/net.d /opt/cni/bin unix:///run/k3s/containerd/containerd.sock"
    ],
    "microk8s": [
      {
        ...running(
          "/snap/microk8s/7000/bin/containerd",
          "--config",
          microk8s,
          "--address",
          "/var/snap/microk8s/common/run/containerd.sock"
        ),
        [microk8s]: v2("/var/snap/microk8s/current/args/cni-network", "/var/snap/microk8s/current/opt/cni/bin")
      },
      "containerd /var/snap/microk8s/current/args/cni-network /var/snap/microk8s/current/opt/cni/bin unix:///var/snap/microk8s/common/run/containerd.sock"
    ],
    "CRI-O": [
      {
        ...running("crio"),
        "etc/crio/crio.conf.d/10-x.conf":
          `[crio.network]\nnetwork_dir = "/c"\nplugin_dirs = [\n\t"/var/lib/cni/bin",\n]\n`
      },
      "CRI-O /c /var/lib/cni/bin unix:///var/run/crio/crio.sock"
    ],
    "CRI-O by default": [
      running("crio"),
      "CRI-O /etc/cni/net.d /opt/cni/bin:/usr/libexec/cni unix:///var/run/crio/crio.sock"
    ],
    "CRI-O at another socket": [
      { ...running("crio"), "etc/crio/crio.conf": `[crio.api]\nlisten = "/run/my.sock"\n` },
      "CRI-O /etc/cni/net.d /opt/cni/bin:/usr/libexec/cni unix:///run/my.sock"
    ],
    "podman with CNI": [
      {
        "etc/containers/containers.conf":
          `[network]\nnetwork_backend = "cni"\ncni_plugin_dirs = ["/b"]\nnetwork_config_dir = "/c"\n`
      },
      "podman /c /b"
    ],
    "Nomad by default": [running("nomad", "agent"), "Nomad /opt/cni/config /opt/cni/bin"],
    "Nomad": [
      { ...running("nomad"), "etc/nomad.d/nomad.hcl": `client {\n  cni_path = "/a:/b"\n  cni_config_dir = "/c"\n}\n` },
      "Nomad /c /a:/b"
    ]
  }
  for (const [name, [files, line]] of Object.entries(cases)) {
    it.effect(`is found: ${name}`, () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* folders(files), [line])
      }))
  }

  it.effect("is found: of two containerd, that with CRI first, each once", () =>
    Effect.gen(function*() {
      const files = {
        "proc/5/cmdline": process("containerd"),
        "etc/containerd/config.toml": `disabled_plugins = ["cri"]\n`,
        "proc/6/cmdline": process("containerd", "-c", k3s),
        "proc/7/cmdline": process("containerd", "-c", k3s),
        [k3s]: v2("/c", "/b")
      }
      assert.deepStrictEqual(yield* folders(files), [
        `containerd /c /b ${socket}`,
        `containerd /etc/cni/net.d /opt/cni/bin ${socket}`
      ])
    }))

  it.effect("comes with that of the program, in which k3s and RKE2 have crictl", () =>
    Effect.gen(function*() {
      using root = temporary()
      Fs.mkdirSync(`${root.path}/proc/9`, { recursive: true })
      Fs.writeFileSync(`${root.path}/proc/9/cmdline`, process("containerd"))
      const programFolder = Effect.map(
        Effect.provide(Discovery.find(root.path), NodeServices.layer),
        ([runtime]) => runtime?.programFolder
      )
      assert.isUndefined(yield* programFolder)
      Fs.symlinkSync("/var/lib/rancher/k3s/data/0fd2/bin/containerd", `${root.path}/proc/9/exe`)
      assert.strictEqual(yield* programFolder, "/var/lib/rancher/k3s/data/0fd2/bin")
    }))

  it.effect("is found: nerdctl, beside its containerd", () =>
    Effect.gen(function*() {
      const files = { ...running("containerd"), "usr/local/bin/nerdctl": "" }
      assert.deepStrictEqual((yield* folders(files))[1], "nerdctl /etc/cni/net.d /opt/cni/bin")
      const config = `cni_path = "/b"\ncni_netconfpath = "/c"\n`
      assert.deepStrictEqual((yield* folders({ ...files, "etc/nerdctl/nerdctl.toml": config }))[1], "nerdctl /c /b")
      assert.deepStrictEqual(yield* folders({ "usr/local/bin/nerdctl": "" }), [])
    }))

  it.effect("is none of podman with netavark, in words", () =>
    Effect.gen(function*() {
      using root = temporary()
      Fs.mkdirSync(`${root.path}/var/lib/containers/storage`, { recursive: true })
      Fs.writeFileSync(`${root.path}/var/lib/containers/storage/defaultNetworkBackend`, "netavark")
      const [podman] = yield* Effect.provide(Discovery.find(root.path), NodeServices.layer)
      assert.isDefined(podman)
      assert.match(
        Discovery.inWords(podman),
        /^podman makes networks with netavark, which calls no plugins, .*NETAVARK-/
      )
    }))
})
