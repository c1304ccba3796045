/** A script for the sandbox: containerd, with an image `localhost/bb:latest` that has busybox in it. */
export const setUp = `
# An image without a registry: an OCI layer made of a folder with busybox.
mkdir -p /tmp/rootfs/bin /tmp/image/layer
cp /bin/busybox /tmp/rootfs/bin/
tar -C /tmp/rootfs -cf /tmp/image/layer/layer.tar .
diff=sha256:$(sha256sum /tmp/image/layer/layer.tar | cut -d ' ' -f 1)
printf '{"architecture":"%s","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":["%s"]}}' \\
  "$(dpkg --print-architecture)" "$diff" > /tmp/image/config.json
printf '[{"Config":"config.json","RepoTags":["localhost/bb:latest"],"Layers":["layer/layer.tar"]}]' > /tmp/image/manifest.json
tar -C /tmp/image -cf /tmp/bb.tar manifest.json config.json layer

containerd --root /tmp/containerd --state /run/containerd --address /run/containerd.sock --log-level error >&2 &
ctr() { command ctr -a /run/containerd.sock "$@"; }
for attempt in $(seq 1000); do ctr version >/dev/null 2>&1 && break; sleep 0.1; done
ctr image import --snapshotter native /tmp/bb.tar >&2
ctr_run() { # ID COMMAND…
  ctr run --rm --cni --snapshotter native --runtime io.containerd.runc.v2 localhost/bb:latest "$@"
}
`
