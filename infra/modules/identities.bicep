metadata description = 'One identity for each app, so that neither holds the other\'s permissions.'

@description('Azure region.')
param location string

@description('Tags of every resource.')
param tags object

@description('Name of the worker\'s identity.')
param workerIdentityName string

@description('Name of the client-scheduler\'s identity.')
param clientIdentityName string

resource worker 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: workerIdentityName
  location: location
  tags: tags
}

resource client 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: clientIdentityName
  location: location
  tags: tags
}

@description('Name of the worker\'s identity.')
output workerIdentityName string = worker.name

@description('Object id of the worker\'s identity.')
output workerPrincipalId string = worker.properties.principalId

@description('Name of the client-scheduler\'s identity.')
output clientIdentityName string = client.name

@description('Object id of the client-scheduler\'s identity.')
output clientPrincipalId string = client.properties.principalId
