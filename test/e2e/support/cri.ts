/** containerd as the runtime of a Kubernetes node, without kubelet: pod sandboxes by its CRI. */
import * as Crypto from "node:crypto"
import * as Fs from "node:fs"
import * as Path from "node:path"
import type * as Sandbox from "./sandbox.ts"

/** The cgroup of the pods, which has no namespace of its own. */
const cgroup = `passthrough-${Crypto.randomUUID()}`

/** A network with one address, which the first pod takes. */
export const network = {
  cniVersion: "1.0.0",
  name: "pods",
  plugins: [
    {
      type: "bridge",
      bridge: "cni-pods",
      isGateway: true,
      ipMasq: true,
      ipam: { type: "host-local", ranges: [[{ subnet: "10.96.0.0/30" }]], routes: [{ dst: "0.0.0.0/0" }] }
    },
    { type: "portmap", capabilities: { portMappings: true } }
  ]
}

/** Brings the client, and a Node.js that only the client finds. */
export const prepare = ({ tmp }: Sandbox.Sandbox): void => {
  Fs.mkdirSync(Path.join(tmp, "cri"))
  Fs.copyFileSync(process.execPath, Path.join(tmp, "cri/node"))
  Fs.copyFileSync(Path.join(import.meta.dirname, "criClient.ts"), Path.join(tmp, "cri/client.ts"))
  Fs.writeFileSync(Path.join(tmp, "cri/package.json"), "{\"type\":\"module\"}")
}

/**
 * A script for the sandbox: a node with plugins in /opt/cni/bin. After {@link start}, `run_pod NAME` starts the sandbox
 * of the pod shop/NAME, and prints its ID; `cri METHOD JSON` calls any method.
 */
export const setUp = `
cp -a /usr/lib/cni/. /opt/cni/bin/
mount -t tmpfs tmpfs /var/log
mkdir -p /tmp/pause/bin /tmp/image/layer
cp /bin/busybox /tmp/pause/bin/sleep
tar -C /tmp/pause -cf /tmp/image/layer/layer.tar .
diff=sha256:$(sha256sum /tmp/image/layer/layer.tar | cut -d ' ' -f 1)
printf '{"architecture":"%s","os":"linux","config":{"Entrypoint":["/bin/sleep","2147483647"]},"rootfs":{"type":"layers","diff_ids":["%s"]}}' \\
  "$(dpkg --print-architecture)" "$diff" > /tmp/image/config.json
printf '[{"Config":"config.json","RepoTags":["localhost/pause:it"],"Layers":["layer/layer.tar"]}]' > /tmp/image/manifest.json
tar -C /tmp/image -cf /tmp/pause.tar manifest.json config.json layer
cat > /tmp/containerd.toml <<'EOF'
version = 2
[plugins."io.containerd.internal.v1.opt"]
  path = "/tmp/containerd-opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:it"
  disable_apparmor = true
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/opt/cni/bin"
    conf_dir = "/etc/cni/net.d"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "native"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
EOF
ctr() { command ctr -a /run/containerd.sock "$@"; }
leave_no_pod() {
  local cgroups=$(find /sys/fs/cgroup -depth -type d -path "*/${cgroup}*")
  for each in $cgroups; do kill -KILL $(cat $each/cgroup.procs) 2> /dev/null || true; done
  sleep 0.2
  [ -z "$cgroups" ] || rmdir $cgroups >&2 || true
}
trap leave_no_pod EXIT
cri() { /tmp/cri/node /tmp/cri/client.ts /run/containerd.sock "$@"; }
run_pod() {
  cri RunPodSandbox '{"config":{
    "metadata":{"name":"'$1'","uid":"uid-of-'$1'","namespace":"shop","attempt":0},
    "hostname":"'$1'","log_directory":"/tmp/pods",
    "port_mappings":[{"protocol":0,"container_port":80,"host_port":8080,"host_ip":""}],
    "labels":{"app":"'$1'"},"linux":{"cgroup_parent":"/${cgroup}"}}}'
}
end_pod() {
  cri StopPodSandbox '{"pod_sandbox_id":"'$1'"}'
  cri RemovePodSandbox '{"pod_sandbox_id":"'$1'"}'
}
state() { find /opt/cni/bin -mindepth 1 -printf '%P inode %i, mode %m of %u:%g, %s bytes of %T@, %n links, to "%l"\\n' | sort; }
`

/** Starts containerd, which reads the networks that are there: it would read a later one, but at a time of its choice. */
export const start = `
containerd --config /tmp/containerd.toml --root /tmp/containerd --state /run/containerd --address /run/containerd.sock --log-level error >&2 &
for attempt in $(seq 1000); do ctr version >/dev/null 2>&1 && break; sleep 0.1; done
ctr -n k8s.io image import --snapshotter native /tmp/pause.tar >&2
`

/**
 * The programs of the node in a folder that PATH lacks, as those of k3s are: containerd, and a stand-in for crictl, which
 * Debian has not. It lists what containerd answers.
 */
export const programsApart = `
mkdir -p /tmp/node/programs
cp /usr/bin/containerd /tmp/node/programs/
containerd() { /tmp/node/programs/containerd "$@"; }
cat > /tmp/node/programs/crictl <<'EOF'
#!/bin/sh
[ "$1 $3 $4 $5" = "--runtime-endpoint pods --output json" ] || exit 1
exec /tmp/cri/node /tmp/cri/client.ts "\${2#unix://}" ListPodSandbox
EOF
chmod +x /tmp/node/programs/crictl
`
