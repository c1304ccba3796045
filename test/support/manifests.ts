/** The Kubernetes manifests of `conf/`. */
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Yaml from "yaml"
import { repository } from "./plugin.ts"

/** The base, the overlay with the rights to look at all of a node, and the one that keeps nodes clean. */
export type Folder = "kubernetes" | "kubernetes-doctor" | "kubernetes-leaks"

const pathOf = (folder: Folder) => Path.join(repository, "conf", folder)

/** The names of the files of a folder. */
export const filesOf = (folder: Folder) => Fs.readdirSync(pathOf(folder)).sort()

/** A document of a folder. */
export const read = (file: string, folder: Folder = "kubernetes") =>
  Yaml.parse(Fs.readFileSync(Path.join(pathOf(folder), file), "utf8"), { strict: true })

/** The image that the base puts in place of the DaemonSet's. */
export const image = (): string => {
  const [{ newName, newTag }] = read("kustomization.yaml").images
  return `${newName}:${newTag}`
}

/** The DaemonSet's pod, and its container. */
export const pod = () => {
  const { spec } = read("daemonset.yaml").spec.template
  return { spec, container: spec.containers[0] }
}

/** The same with the rights of the overlay. Kustomize merges what is named, and takes lists as a whole. */
export const doctorPod = (): ReturnType<typeof pod> => {
  const { container, spec } = pod()
  const [patch] = read("rights.yaml", "kubernetes-doctor").spec.template.spec.containers
  const { capabilities, ...others } = patch.securityContext
  return {
    spec,
    container: {
      ...container,
      securityContext: {
        ...container.securityContext,
        ...others,
        capabilities: { ...container.securityContext.capabilities, ...capabilities }
      }
    }
  }
}

/** The same with what the overlay on that overlay does. Kustomize merges mounts by their path. */
export const leaksPod = (): ReturnType<typeof pod> => {
  const { container, spec } = doctorPod()
  const { containers: [{ args, volumeMounts }], ...others } = read("leaks.yaml", "kubernetes-leaks").spec.template.spec
  const merged = container.volumeMounts.map((mount: VolumeMount) => ({
    ...mount,
    ...volumeMounts.find(({ mountPath }: VolumeMount) => mountPath === mount.mountPath)
  }))
  return { spec: { ...spec, ...others }, container: { ...container, args, volumeMounts: merged } }
}

interface VolumeMount {
  readonly name: string
  readonly mountPath: string
  readonly readOnly?: boolean
  readonly mountPropagation?: string
}

/** What `podman run` is told for the rights and mounts of the pod. Volumes of the pod's own are folders in `own`. */
export const podmanFlags = (
  own: string,
  { container: { resources, securityContext, volumeMounts }, spec } = pod()
): ReadonlyArray<string> => {
  const sources = new Map<string, string>(
    spec.volumes.map(({ hostPath, name }: { readonly hostPath?: { readonly path: string }; readonly name: string }) => [
      name,
      hostPath?.path ?? Path.join(own, name)
    ])
  )
  const { allowPrivilegeEscalation, capabilities, privileged, readOnlyRootFilesystem, runAsGroup, runAsUser } =
    securityContext
  return [
    ...(spec.hostNetwork ? ["--network=host"] : []),
    ...(spec.hostPID ? ["--pid=host"] : []),
    ...(readOnlyRootFilesystem ? ["--read-only", "--read-only-tmpfs=false"] : []),
    ...(privileged ? ["--privileged"] : []),
    ...(allowPrivilegeEscalation ? [] : ["--security-opt=no-new-privileges"]),
    `--user=${runAsUser}:${runAsGroup}`,
    ...capabilities.drop.map((name: string) => `--cap-drop=${name}`),
    ...capabilities.add.map((name: string) => `--cap-add=${name}`),
    `--memory=${resources.limits.memory.replace(/i$/, "").toLowerCase()}`,
    ...volumeMounts.map(({ mountPath, mountPropagation, name, readOnly }: VolumeMount) =>
      `--volume=${sources.get(name)}:${mountPath}:${readOnly === true ? "ro" : "rw"}${
        mountPropagation === "HostToContainer" ? ",rslave" : ""
      }`
    )
  ]
}
