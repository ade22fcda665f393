// REST v2's template, translated into the model and back (management §3.5).
import { defined, type TemplateEdit } from '@runyard/core'
import type { Template } from '@runyard/schema'
import type { TemplateView, UpdateTemplateBody } from '@runyard/schema/api'

type TemplateBody = UpdateTemplateBody & { readonly serverless?: boolean | undefined }

export function templateEdit(body: TemplateBody): TemplateEdit {
  const { mounts } = body
  return defined({
    name: body.name,
    container: defined({
      image: body.image,
      args: body.args,
      env: body.env,
      diskGb: body.disk,
      ports: body.ports,
      registryId: body.registry,
    }),
    notes: defined({
      isServerless: body.serverless,
      isPublic: body.public,
      category: body.category,
      readme: body.readme,
      volumeGb: mounts === undefined ? undefined : (mounts.persistent?.size ?? 0),
      volumeMountPath: mounts === undefined ? undefined : (mounts.persistent?.path ?? ''),
      startSsh: body.startSsh,
      startJupyter: body.startJupyter,
      allowedCudaVersions: body.allowedCudaVersions,
    }),
  })
}

export function templateReply({ id, name, container, notes, createdAt }: Template): TemplateView {
  const { volumeGb: size, volumeMountPath: path } = notes
  return {
    id,
    name,
    createdAt: new Date(createdAt).toISOString(),
    image: container.image,
    args: container.args,
    disk: container.diskGb,
    ports: container.ports,
    env: container.env,
    registry: container.registryId,
    mounts: size > 0 ? { persistent: { size, path } } : {},
    serverless: notes.isServerless,
    public: notes.isPublic,
    category: notes.category,
    readme: notes.readme,
    startSsh: notes.startSsh,
    startJupyter: notes.startJupyter,
    allowedCudaVersions: notes.allowedCudaVersions,
  }
}
