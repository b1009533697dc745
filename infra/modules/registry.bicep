metadata description = 'The container registry. Images are built in it and pulled with the apps\' identities; it has no passwords.'

@description('Azure region.')
param location string

@description('Tags of every resource.')
param tags object

@description('Name of the registry.')
param registryName string

@description('Basic, Standard or Premium.')
param skuName string

@description('Log Analytics workspace that takes logs and metrics.')
param workspaceId string

resource registry 'Microsoft.ContainerRegistry/registries@2025-11-01' = {
  name: registryName
  location: location
  tags: tags
  sku: {
    name: skuName
  }
  properties: {
    adminUserEnabled: false
    anonymousPullEnabled: false
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: registry
  name: 'to-log-analytics'
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        categoryGroup: 'allLogs'
        enabled: true
      }
    ]
    metrics: [
      {
        category: 'AllMetrics'
        enabled: true
      }
    ]
  }
}

@description('Name of the registry.')
output registryName string = registry.name

@description('Its host name.')
output loginServer string = registry.properties.loginServer
