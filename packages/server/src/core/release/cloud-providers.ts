// What the configuration says of providers in a cloud: their place there, and whose credentials open it.

/** Keys that are given, or whatever the cloud's own chain finds where the server runs. */
export type AwsAccess =
  | {
      readonly from: 'keys'
      readonly accessKeyId: string
      readonly secretAccessKey: string
      readonly sessionToken: string | null
    }
  | { readonly from: 'chain' }

export type AzureAccess =
  | { readonly from: 'key'; readonly apiKey: string }
  | {
      readonly from: 'client'
      readonly tenantId: string
      readonly clientId: string
      readonly clientSecret: string
    }
  | { readonly from: 'chain' }

export type GoogleAccess =
  | { readonly from: 'token'; readonly accessToken: string }
  | { readonly from: 'file'; readonly path: string }
  | { readonly from: 'chain' }

export interface AzureProvider {
  readonly kind: 'azure'
  /** The resource, or its `/openai/v1`. */
  readonly baseUrl: string
  /** A date such as `2024-10-21`, or `v1`. */
  readonly apiVersion: string
  readonly access: AzureAccess
}

export interface BedrockProvider {
  readonly kind: 'bedrock'
  readonly region: string
  /** null: the public endpoint of the region. */
  readonly baseUrl: string | null
  readonly access: AwsAccess
}

export interface VertexProvider {
  readonly kind: 'vertex'
  readonly project: string
  /** `global` for the endpoint without a place. */
  readonly region: string
  /** null: the public endpoint of the region. */
  readonly baseUrl: string | null
  readonly access: GoogleAccess
}
