/** Which network namespaces are mounted, as the kernel lists mounts. */
import { assert, describe, it } from "@effect/vitest"
import * as PinnedNamespaces from "../../src/doctor/facts/PinnedNamespaces.ts"

/** Lines of hosts with containerd, Docker, rootless podman, and a snap. */
const mountinfo = String.raw`22 27 0:21 / /proc rw,nosuid shared:14 - proc proc rw
68 84 0:24 /netns /run/netns rw shared:5 - tmpfs tmpfs rw
125 68 0:4 net:[4026532251] /run/netns/cni-08fdff91-bc5b-e273-1c62-76634097d8db rw shared:5 master:2 - nsfs nsfs rw
126 68 0:4 net:[4026532252] /run/docker/netns/2f4a rw - nsfs nsfs rw
127 68 0:4 net:[4026532253] /run/user/1000/netns/of\040mine\134n rw shared:7 - nsfs nsfs rw
128 68 0:4 mnt:[4026532254] /run/snapd/ns/microk8s.mnt rw - nsfs nsfs rw
129 68 0:4 net:[4026532251] /var/lib/kubelet/netns/again rw - nsfs nsfs rw
130 68 0:4 net:[4026532255] /run/netns/of-another-type rw - tmpfs nsfs rw`

describe("the network namespaces that are mounted", () => {
  it("are all of nsfs that are of networks, wherever they are mounted, and however often", () => {
    assert.deepStrictEqual(PinnedNamespaces.inMountinfo(mountinfo), [
      { name: "net:[4026532251]", path: "/run/netns/cni-08fdff91-bc5b-e273-1c62-76634097d8db" },
      { name: "net:[4026532252]", path: "/run/docker/netns/2f4a" },
      { name: "net:[4026532253]", path: "/run/user/1000/netns/of mine\\n" },
      { name: "net:[4026532251]", path: "/var/lib/kubelet/netns/again" }
    ])
    assert.deepStrictEqual(PinnedNamespaces.inMountinfo(""), [])
  })

  it("have a path where the first process sees them, and the same as before on the host", () => {
    assert.strictEqual(PinnedNamespaces.onFirst("/run/netns/web"), "/proc/1/root/run/netns/web")
    assert.strictEqual(PinnedNamespaces.onHost("/proc/1/root/run/netns/web"), "/run/netns/web")
    assert.strictEqual(PinnedNamespaces.onHost("/proc/10/ns/net"), "/proc/10/ns/net")
  })
})
