metadata description = 'A virtual network for the apps and, as an option, the only way to the scheduler: a private endpoint with its DNS zone.'

@description('Azure region.')
param location string

@description('Tags of every resource.')
param tags object

@description('Name of the virtual network.')
param virtualNetworkName string

@description('Name of the private endpoint.')
param privateEndpointName string

@description('Whether the scheduler gets a private endpoint.')
param privateNetworking bool

@description('Resource id of the scheduler.')
param schedulerId string

resource virtualNetwork 'Microsoft.Network/virtualNetworks@2025-07-01' = {
  name: virtualNetworkName
  location: location
  tags: tags
  properties: {
    addressSpace: {
      addressPrefixes: [
        '10.0.0.0/22'
      ]
    }
    subnets: [
      {
        name: 'apps'
        properties: {
          addressPrefix: '10.0.0.0/23'
          delegations: [
            {
              name: 'container-apps'
              properties: {
                serviceName: 'Microsoft.App/environments'
              }
            }
          ]
        }
      }
      {
        name: 'endpoints'
        properties: {
          addressPrefix: '10.0.2.0/27'
        }
      }
    ]
  }

  resource apps 'subnets' existing = {
    name: 'apps'
  }

  resource endpoints 'subnets' existing = {
    name: 'endpoints'
  }
}

resource privateEndpoint 'Microsoft.Network/privateEndpoints@2025-07-01' = if (privateNetworking) {
  name: privateEndpointName
  location: location
  tags: tags
  properties: {
    subnet: {
      id: virtualNetwork::endpoints.id
    }
    privateLinkServiceConnections: [
      {
        name: 'scheduler'
        properties: {
          privateLinkServiceId: schedulerId
          groupIds: [
            'scheduler'
          ]
        }
      }
    ]
  }
}

resource dnsZone 'Microsoft.Network/privateDnsZones@2024-06-01' = if (privateNetworking) {
  name: 'privatelink.durabletask.io'
  location: 'global'
  tags: tags
}

resource dnsLink 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = if (privateNetworking) {
  parent: dnsZone
  name: virtualNetworkName
  location: 'global'
  tags: tags
  properties: {
    registrationEnabled: false
    virtualNetwork: {
      id: virtualNetwork.id
    }
  }
}

resource dnsRecords 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2025-07-01' = if (privateNetworking) {
  parent: privateEndpoint
  name: 'default'
  properties: {
    privateDnsZoneConfigs: [
      {
        name: 'scheduler'
        properties: {
          privateDnsZoneId: dnsZone.id
        }
      }
    ]
  }
}

@description('Resource id of the subnet that the apps run in.')
output appsSubnetId string = virtualNetwork::apps.id
