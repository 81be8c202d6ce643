/** What is used of the AWS SDK's client, version 3: `new DynamoDB(…)` of `@aws-sdk/client-dynamodb`. Nothing of it is imported. */

export type Attribute = {
  readonly S?: string | undefined
  readonly N?: string | undefined
  readonly B?: Uint8Array | undefined
}

/** As it is read. */
export type Item = Record<string, Attribute>

type Value = { S: string } | { N: string }
export type Values = Record<string, Value>

interface Sending {
  abortSignal: AbortSignal
}

export interface Expressions {
  ConditionExpression: string
  UpdateExpression: string
  ExpressionAttributeValues: Values
}

export interface DynamoDBClient {
  updateItem(
    input: Expressions & {
      TableName: string
      Key: Values
      ExpressionAttributeNames: Record<string, string>
      ReturnValues: 'UPDATED_NEW'
    },
    options: Sending,
  ): Promise<{ Attributes?: Item | undefined }>
  getItem(
    input: { TableName: string; Key: Values; ConsistentRead: boolean },
    options: Sending,
  ): Promise<{ Item?: Item | undefined }>
  scan(
    input: { TableName: string; ConsistentRead: boolean; ExclusiveStartKey?: Values },
    options: Sending,
  ): Promise<{ Items?: Item[] | undefined; LastEvaluatedKey?: Item | undefined }>
  describeTable(
    input: { TableName: string },
    options: Sending,
  ): Promise<{ Table?: { Replicas?: unknown[] | undefined } | undefined }>
}
