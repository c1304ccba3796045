/** What a suite needs from the host. Where it is missing the suite is skipped and says why; on CI it fails. */
import { describe, it } from "@effect/vitest"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import { isStandalone } from "./plugin.ts"

/** Debian packages, by a file that each of them brings. */
const packages = {
  "containernetworking-plugins": "/usr/lib/cni/bridge",
  "golang-go": "/usr/bin/go",
  "golang-github-appc-cni-dev": "/usr/share/gocode/src/github.com/containernetworking/cni/libcni/api.go",
  "busybox-static": "/bin/busybox",
  podman: "/usr/bin/podman",
  netavark: "/usr/lib/podman/netavark",
  runc: "/usr/sbin/runc",
  catatonit: "/usr/bin/catatonit",
  containerd: "/usr/bin/containerd",
  iproute2: "/sbin/ip",
  iptables: "/usr/sbin/iptables",
  nftables: "/usr/sbin/nft",
  ipset: "/usr/sbin/ipset",
  bsdutils: "/usr/bin/logger",
  logrotate: "/usr/sbin/logrotate",
  rsyslog: "/usr/sbin/rsyslogd",
  systemd: "/lib/systemd/systemd-journald",
  curl: "/usr/bin/curl",
  strace: "/usr/bin/strace",
  chromium: "/usr/bin/chromium",
  dpkg: "/usr/bin/dpkg-deb",
  musl: "/lib/ld-musl-x86_64.so.1",
  "g++": "/usr/bin/x86_64-linux-gnu-g++",
  "g++-aarch64-linux-gnu": "/usr/bin/aarch64-linux-gnu-g++",
  patchelf: "/usr/bin/patchelf",
  "qemu-user-static": "/usr/bin/qemu-aarch64-static",
  "libc6-arm64-cross": "/usr/aarch64-linux-gnu/lib/libc.so.6"
} as const

const missing = (needed: ReadonlyArray<keyof typeof packages>): ReadonlyArray<string> => [
  ...(process.getuid?.() === 0 ? [] : ["to be root"]),
  ...needed.filter((name) => !Fs.existsSync(packages[name])).map((name) => `the package ${name}`)
]

/** Adds a suite or a test, unless the host lacks something that it needs. */
const addUnless = (lacking: string, name: string, add: (name: string) => void, skip: (name: string) => void): void => {
  if (lacking === "") add(name)
  else if (process.env["PASSTHROUGH_REQUIRE_ALL"] === "1") {
    it(name, () => {
      throw new Error(`nothing may be skipped here, but this needs ${lacking}`)
    })
  } else {
    // oxlint-disable-next-line eslint/no-console -- the default reporter says that a suite is skipped, and not why
    console.warn(`skipped, as it needs ${lacking}: ${name}`)
    skip(name)
  }
}

/** A suite that needs root and these packages. */
export const describeWith = (
  needed: ReadonlyArray<keyof typeof packages>,
  name: string,
  suite: () => void
): void =>
  addUnless(missing(needed).join(", "), name, (title) => describe(title, suite), (title) => describe.skip(title, suite))

/** A suite of what both forms do alike: it runs in the form that starts sooner. */
export const describeInOneForm = (name: string, suite: () => void): void => {
  if (isStandalone) describe(name, suite)
}

/** A test that mounts. Root may not do so everywhere: not in most containers. */
export const itWithMounts = (name: string, test: () => void | Promise<void>, timeout?: number): void => {
  const mayMount = ChildProcess.spawnSync("unshare", ["--mount", "true"]).status === 0
  addUnless(
    mayMount ? "" : "to mount, as root",
    name,
    (title) => it(title, test, timeout),
    (title) => it.skip(title, test)
  )
}

/** A test that only root can run, such as one that gives files away. */
export const itAsRoot = (name: string, test: () => unknown): void =>
  addUnless(missing([]).join(", "), name, (title) => it(title, test as () => void), (title) => it.skip(title, () => {}))

/** A test that installs packages of npm, given by names with ranges. */
export const itWithRegistry = (needed: ReadonlyArray<string>, name: string, test: () => void): void => {
  const missing = needed.filter((each) => ChildProcess.spawnSync("npm", ["view", each, "version"]).status !== 0)
  addUnless(
    missing.length === 0 ? "" : `a registry of npm that has ${missing.join(", ")}`,
    name,
    (title) => it(title, test),
    (title) => it.skip(title, test)
  )
}

/** Where a cgroup can be made that limits processes: the first version has a folder for that, the second one has all. */
const cgroupParent = (): string | undefined => {
  const [first, second] = ["/sys/fs/cgroup/pids", "/sys/fs/cgroup"] as const
  if (Fs.existsSync(`${first}/cgroup.procs`)) return first
  try {
    return Fs.readFileSync(`${second}/cgroup.subtree_control`, "utf8").split(/\s/).includes("pids") ? second : undefined
  } catch {
    return undefined
  }
}

const makeCgroup = (): string | undefined => {
  const parent = cgroupParent()
  try {
    return parent === undefined ? undefined : Fs.mkdtempSync(`${parent}/passthrough-test-`)
  } catch {
    return undefined // it is read-only in most containers
  }
}

/** A test with a cgroup that no process is in, and whose processes can be limited. */
export const itWithCgroup = (name: string, test: (folder: string) => void): void => {
  const probe = makeCgroup()
  if (probe !== undefined) Fs.rmdirSync(probe)
  const run = () => {
    const folder = makeCgroup() ?? ""
    try {
      test(folder)
    } finally {
      Fs.rmdirSync(folder)
    }
  }
  addUnless(
    probe === undefined ? "to limit the processes of a cgroup, as root" : "",
    name,
    (title) => it(title, run),
    (title) => it.skip(title, run)
  )
}
