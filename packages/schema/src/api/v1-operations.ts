// The operations of REST v1 (management §2). Paths are those below its first prefix; `/rest/v1` means the same.
import { z } from 'zod'
import { CreateRegistryBody, RegistryView } from './registries.ts'
import type { Operations } from './operation.ts'
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

const update = { params: IdParams, body: V1UpdateEndpointBody, response: { 200: V1EndpointView } }
const updateTemplate = { params: IdParams, body: V1UpdateTemplateBody, response: { 200: V1TemplateView } }

export const V1_OPERATIONS = {
  'GET /v1/endpoints': {
    id: 'listEndpointsV1',
    tag: 'rest-v1',
    summary: 'List endpoints',
    schema: { querystring: V1EndpointQuery, response: { 200: z.array(V1EndpointView) } },
  },
  'POST /v1/endpoints': {
    id: 'saveEndpointV1',
    tag: 'rest-v1',
    summary: 'Create an endpoint, or update the one of that name',
    schema: { body: V1CreateEndpointBody, response: { 200: V1EndpointView } },
  },
  'GET /v1/endpoints/:id': {
    id: 'getEndpointV1',
    tag: 'rest-v1',
    summary: 'Read an endpoint',
    schema: { params: IdParams, querystring: V1EndpointQuery, response: { 200: V1EndpointView } },
  },
  'PATCH /v1/endpoints/:id': { id: 'updateEndpointV1', tag: 'rest-v1', summary: 'Change an endpoint', schema: update },
  'POST /v1/endpoints/:id/update': { id: 'updateEndpointByPostV1', tag: 'rest-v1', summary: 'Change an endpoint', schema: update },
  'DELETE /v1/endpoints/:id': {
    id: 'deleteEndpointV1',
    tag: 'rest-v1',
    summary: 'Delete an endpoint',
    schema: { params: IdParams },
    other: { 204: null },
  },
  'GET /v1/templates': {
    id: 'listTemplatesV1',
    tag: 'rest-v1',
    summary: 'List templates',
    schema: { querystring: V1TemplateQuery, response: { 200: z.array(V1TemplateView) } },
  },
  'POST /v1/templates': {
    id: 'createTemplateV1',
    tag: 'rest-v1',
    summary: 'Create a template',
    schema: { body: V1CreateTemplateBody, response: { 200: V1TemplateView } },
  },
  'GET /v1/templates/:id': {
    id: 'getTemplateV1',
    tag: 'rest-v1',
    summary: 'Read a template',
    schema: { params: IdParams, response: { 200: V1TemplateView } },
  },
  'PATCH /v1/templates/:id': { id: 'updateTemplateV1', tag: 'rest-v1', summary: 'Change a template', schema: updateTemplate },
  'POST /v1/templates/:id/update': { id: 'updateTemplateByPostV1', tag: 'rest-v1', summary: 'Change a template', schema: updateTemplate },
  'DELETE /v1/templates/:id': {
    id: 'deleteTemplateV1',
    tag: 'rest-v1',
    summary: 'Delete a template',
    schema: { params: IdParams },
    other: { 204: null },
  },
  'GET /v1/containerregistryauth': {
    id: 'listRegistriesV1',
    tag: 'rest-v1',
    summary: 'List registry credentials',
    schema: { response: { 200: z.array(RegistryView) } },
  },
  'POST /v1/containerregistryauth': {
    id: 'createRegistryV1',
    tag: 'rest-v1',
    summary: 'Save registry credentials under a new name',
    schema: { body: CreateRegistryBody, response: { 200: RegistryView } },
  },
  'GET /v1/containerregistryauth/:id': {
    id: 'getRegistryV1',
    tag: 'rest-v1',
    summary: 'Read the name of registry credentials',
    schema: { params: IdParams, response: { 200: RegistryView } },
  },
  'DELETE /v1/containerregistryauth/:id': {
    id: 'deleteRegistryV1',
    tag: 'rest-v1',
    summary: 'Delete registry credentials',
    schema: { params: IdParams },
    other: { 204: null },
  },
} as const satisfies Operations
