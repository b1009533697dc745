// Deployed by `azd deploy client-scheduler`, once its image is pushed. azd fills client-scheduler.parameters.json with
// text, whatever the type: hence numbers as strings, and int() where the platform wants a number.
metadata description = 'The client-scheduler: open to the internet only behind Entra authentication, which this same file sets.'

@description('The azd environment.')
param environmentName string

@description('Azure region: that of the resource group.')
param location string = resourceGroup().location

@description('Image to run.')
param imageName string

@description('Host name of the registry that the image is in.')
param registryEndpoint string

@description('Container Apps environment to run in.')
param appsEnvironmentName string

@description('Identity that pulls the image and controls monitors.')
param identityName string

@description('Application Insights component that traces, metrics and logs go to.')
param applicationInsightsName string

@description('Share of the traces that is kept, 0 to 1. Metrics count everything whatever it is.')
param traceRatio string

@description('The scheduler, https://...')
param schedulerEndpoint string

@description('Task hub whose monitors are controlled.')
param taskHubName string

@description('development: runs while it is asked. production: two replicas at least.')
@allowed([
  'development'
  'production'
])
param preset string

@description('Client id of the app registration that users sign in to; empty: reachable inside the environment only.')
param entraClientId string

@description('Plug-ins that the image brings and that are to be enabled, comma-separated; empty: none.')
param plugins string

@description('DEBUG, INFO, WARNING or ERROR.')
param logLevel string

var abbreviations = loadJsonContent('abbreviations.json')
var isProduction = preset == 'production'
var signIn = !empty(entraClientId)
var port = 8000
// The platform takes no password of the app registration: it signs in as this identity, which the registration trusts
// by a federated credential. The entry's name is what tells it so, and its value is an id.
var federatedSignIn = 'override-use-mi-fic-assertion-client-id'
var federatedSignInEntry = [
  {
    name: federatedSignIn
    value: identity.properties.clientId
  }
]
var connection = 'Endpoint=${schedulerEndpoint};Authentication=ManagedIdentity;ClientID=${identity.properties.clientId};TaskHub=${taskHubName}'

resource appsEnvironment 'Microsoft.App/managedEnvironments@2026-01-01' existing = {
  name: appsEnvironmentName
}

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: identityName
}

resource applicationInsights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: applicationInsightsName
}

resource client 'Microsoft.App/containerApps@2026-01-01' = {
  name: '${abbreviations.appContainerApps}client-${uniqueString(resourceGroup().id)}'
  location: location
  tags: {
    'azd-env-name': environmentName
    'azd-service-name': 'client-scheduler'
  }
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identity.id}': {}
    }
  }
  properties: {
    environmentId: appsEnvironment.id
    workloadProfileName: 'Consumption'
    configuration: {
      activeRevisionsMode: 'Single'
      ingress: {
        external: signIn
        targetPort: port
        transport: 'auto'
        allowInsecure: false
      }
      registries: [
        {
          server: registryEndpoint
          identity: identity.id
        }
      ]
      secrets: signIn ? federatedSignInEntry : []
    }
    template: {
      // serve.py gives requests under way 10 s.
      terminationGracePeriodSeconds: 30
      containers: [
        {
          name: 'client-scheduler'
          image: imageName
          resources: {
            cpu: json('0.25')
            memory: '0.5Gi'
          }
          env: [
            {
              name: 'DURABLE_TASK_SCHEDULER_CONNECTION_STRING'
              value: connection
            }
            {
              name: 'MONITOR_API_HOST'
              value: '0.0.0.0'
            }
            {
              name: 'MONITOR_API_PORT'
              value: string(port)
            }
            {
              name: 'LOG_LEVEL'
              value: logLevel
            }
            {
              // Which of the app's identities telemetry's tokens are of: it has no other, and still has to say.
              name: 'AZURE_CLIENT_ID'
              value: identity.properties.clientId
            }
            {
              // No key: telemetry is taken from the app's identity only, as local authentication of the component is off.
              name: 'APPLICATIONINSIGHTS_CONNECTION_STRING'
              value: applicationInsights.properties.ConnectionString
            }
            {
              name: 'OTEL_TRACES_SAMPLER'
              value: 'parentbased_traceidratio'
            }
            {
              name: 'OTEL_TRACES_SAMPLER_ARG'
              value: traceRatio
            }
            {
              name: 'MONITOR_PLUGINS'
              value: plugins
            }
            {
              // Without an app registration nobody can say who is asking: then only probes are answered.
              name: 'AUTH_MODE'
              value: signIn ? 'entra' : 'closed'
            }
            {
              name: 'AUTH_TENANT_ID'
              value: tenant().tenantId
            }
            {
              name: 'AUTH_AUDIENCE'
              value: signIn ? '${entraClientId},api://${entraClientId}' : ''
            }
            {
              name: 'AUTH_PLATFORM'
              value: string(signIn)
            }
            {
              // The platform's proxy alone reaches the port; by its headers links get the public name and https.
              name: 'FORWARDED_ALLOW_IPS'
              value: '*'
            }
          ]
          probes: [
            {
              type: 'Startup'
              httpGet: {
                path: '/healthz'
                port: port
              }
              periodSeconds: 6
              timeoutSeconds: 5
              failureThreshold: 10
            }
            {
              type: 'Liveness'
              httpGet: {
                path: '/healthz'
                port: port
              }
              periodSeconds: 10
              timeoutSeconds: 5
              failureThreshold: 3
            }
            {
              type: 'Readiness'
              httpGet: {
                path: '/readyz'
                port: port
              }
              periodSeconds: 10
              timeoutSeconds: 5
              failureThreshold: 3
            }
          ]
        }
      ]
      scale: {
        minReplicas: isProduction ? 2 : 0
        maxReplicas: isProduction ? 10 : 2
        rules: [
          {
            name: 'requests'
            http: {
              metadata: {
                concurrentRequests: '50'
              }
            }
          }
        ]
      }
    }
  }
}

resource authentication 'Microsoft.App/containerApps/authConfigs@2026-01-01' = if (signIn) {
  parent: client
  name: 'current'
  properties: {
    platform: {
      enabled: true
    }
    globalValidation: {
      unauthenticatedClientAction: 'RedirectToLoginPage'
      redirectToProvider: 'azureactivedirectory'
    }
    identityProviders: {
      azureActiveDirectory: {
        enabled: true
        registration: {
          clientId: entraClientId
          clientSecretSettingName: federatedSignIn
          openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
        }
        validation: {
          allowedAudiences: [
            entraClientId
            'api://${entraClientId}'
          ]
        }
      }
    }
    httpSettings: {
      requireHttps: true
    }
  }
}

@description('Name of the container app, for `az containerapp exec`.')
output CLIENT_APP_NAME string = client.name

@description('Where it answers: inside the environment, or behind Entra authentication.')
output CLIENT_URL string = 'https://${client.properties.configuration.ingress.fqdn}'
