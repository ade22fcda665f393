// The operations of REST v1 (management §2). Paths are those below its first prefix; `/rest/v1` means the same.
import { z } from 'zod'
import { V1BillingQuery, V1BillingView } from './billing.ts'
import { CreateRegistryBody, RegistryView } from './secrets.ts'
import { tagged } from './operation.ts'
import {
  V1CreateEndpointBody,
  V1CreateTemplateBody,
  V1EndpointQuery,
  V1EndpointView,
  V1TemplateQuery,
  V1TemplateView,
  V1UpdateEndpointBody,
  V1UpdateTemplateBody,
} from './rest-v1.ts'
import { IdParams } from './shared.ts'
import { V1CreateVolumeBody, V1UpdateVolumeBody, V1VolumeView } from './volumes.ts'

const update = { params: IdParams, body: V1UpdateEndpointBody, reply: V1EndpointView }
const updateTemplate = { params: IdParams, body: V1UpdateTemplateBody, reply: V1TemplateView }

const updateVolume = { params: IdParams, body: V1UpdateVolumeBody, reply: V1VolumeView }

export const V1_OPERATIONS = tagged('rest-v1', {
  'GET /v1/pods': { id: 'listPodsV1', summary: 'Pods: there are none', reply: z.array(z.never()) },
  'GET /v1/billing/endpoints': {
    id: 'listBillingV1',
    summary: 'What each endpoint or GPU type used',
    querystring: V1BillingQuery,
    reply: V1BillingView,
  },
  'GET /v1/billing/pods': { id: 'listPodBillingV1', summary: 'Billing of pods: no records', reply: z.array(z.never()) },
  'GET /v1/billing/networkvolumes': {
    id: 'listVolumeBillingV1',
    summary: 'Billing of network volumes: no records',
    reply: z.array(z.never()),
  },
  'GET /v1/endpoints': { id: 'listEndpointsV1', summary: 'List endpoints', querystring: V1EndpointQuery, reply: z.array(V1EndpointView) },
  'POST /v1/endpoints': {
    id: 'saveEndpointV1',
    summary: 'Create an endpoint, or update the one of that name',
    body: V1CreateEndpointBody,
    reply: V1EndpointView,
  },
  'GET /v1/endpoints/:id': {
    id: 'getEndpointV1',
    summary: 'Read an endpoint',
    params: IdParams,
    querystring: V1EndpointQuery,
    reply: V1EndpointView,
  },
  'PATCH /v1/endpoints/:id': { id: 'updateEndpointV1', summary: 'Change an endpoint', ...update },
  'POST /v1/endpoints/:id/update': { id: 'updateEndpointByPostV1', summary: 'Change an endpoint', ...update },
  'DELETE /v1/endpoints/:id': { id: 'deleteEndpointV1', summary: 'Delete an endpoint', params: IdParams, other: { 204: null } },
  'GET /v1/templates': { id: 'listTemplatesV1', summary: 'List templates', querystring: V1TemplateQuery, reply: z.array(V1TemplateView) },
  'POST /v1/templates': { id: 'createTemplateV1', summary: 'Create a template', body: V1CreateTemplateBody, reply: V1TemplateView },
  'GET /v1/templates/:id': { id: 'getTemplateV1', summary: 'Read a template', params: IdParams, reply: V1TemplateView },
  'PATCH /v1/templates/:id': { id: 'updateTemplateV1', summary: 'Change a template', ...updateTemplate },
  'POST /v1/templates/:id/update': { id: 'updateTemplateByPostV1', summary: 'Change a template', ...updateTemplate },
  'DELETE /v1/templates/:id': { id: 'deleteTemplateV1', summary: 'Delete a template', params: IdParams, other: { 204: null } },
  'GET /v1/networkvolumes': { id: 'listNetworkVolumesV1', summary: 'List network volumes', reply: z.array(V1VolumeView) },
  'POST /v1/networkvolumes': {
    id: 'createNetworkVolumeV1',
    summary: 'Create a network volume',
    body: V1CreateVolumeBody,
    reply: V1VolumeView,
  },
  'GET /v1/networkvolumes/:id': { id: 'getNetworkVolumeV1', summary: 'Read a network volume', params: IdParams, reply: V1VolumeView },
  'PATCH /v1/networkvolumes/:id': { id: 'updateNetworkVolumeV1', summary: 'Rename a network volume, or make it larger', ...updateVolume },
  'POST /v1/networkvolumes/:id/update': {
    id: 'updateNetworkVolumeByPostV1',
    summary: 'Rename a network volume, or make it larger',
    ...updateVolume,
  },
  'DELETE /v1/networkvolumes/:id': {
    id: 'deleteNetworkVolumeV1',
    summary: 'Delete a network volume, with its data',
    params: IdParams,
    other: { 204: null },
  },
  'GET /v1/containerregistryauth': { id: 'listRegistriesV1', summary: 'List registry credentials', reply: z.array(RegistryView) },
  'POST /v1/containerregistryauth': {
    id: 'createRegistryV1',
    summary: 'Save registry credentials under a new name',
    body: CreateRegistryBody,
    reply: RegistryView,
  },
  'GET /v1/containerregistryauth/:id': {
    id: 'getRegistryV1',
    summary: 'Read the name of registry credentials',
    params: IdParams,
    reply: RegistryView,
  },
  'DELETE /v1/containerregistryauth/:id': {
    id: 'deleteRegistryV1',
    summary: 'Delete registry credentials',
    params: IdParams,
    other: { 204: null },
  },
})
