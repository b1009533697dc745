// Deployed by `azd deploy worker`, once its image is pushed. azd fills worker.parameters.json with text, whatever the
// type: hence numbers as strings, and int() where the platform wants a number.
metadata description = 'The worker: a container app without ingress that scales by the hub\'s work items.'

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

@description('Identity that pulls the image, runs monitors and reads the hub\'s backlog.')
param identityName string

@description('Application Insights component that traces, metrics and logs go to.')
param applicationInsightsName string

@description('Share of the traces that is kept, 0 to 1. Metrics count everything whatever it is.')
param traceRatio string

@description('Log Analytics workspace that the number of replicas goes to.')
param workspaceName string

@description('auto: an alert in production only. on, off: whatever the preset.')
@allowed([
  'auto'
  'on'
  'off'
])
param alerts string

@description('Action group that is told when the worker runs at its most replicas; empty: nobody.')
param alertActionGroupId string

@description('The scheduler, https://...')
param schedulerEndpoint string

@description('Task hub whose monitors are run.')
param taskHubName string

@description('development: one replica at least, three at most. production: two and ten.')
@allowed([
  'development'
  'production'
])
param preset string

@description('Replicas at least; empty: by the preset. 0 saves the idle replica and makes the first check after a pause late.')
param minReplicas string

@description('Replicas at most; empty: by the preset.')
param maxReplicas string

@description('Turns that one replica runs at a time. One more, and another replica starts.')
param maxActivities string

@description('Orchestrations that one replica runs at a time. One more, and another replica starts.')
param maxOrchestrations string

@description('Seconds from SIGTERM in which checks under way come to their end. A check may take 60.')
param drainSeconds string

@description('Private targets that may be checked, host:port each, comma-separated; empty: none.')
param allowedTargets string

@description('Which secret may be sent where, REFERENCE=ORIGIN each, comma-separated; empty: none.')
param allowedSecrets string

@description('Which tokens of the identity may be sent where besides Azure itself, AUDIENCE=ORIGIN each, comma-separated.')
param allowedAudiences string

@description('Hosts of the Key Vaults that secrets may be read from, comma-separated; empty: none.')
param allowedVaults string

@description('The URL at which people reach the client-scheduler: its pages are linked to in what they are told. Empty: no links.')
param pages string

@description('Plug-ins that the image brings and that are to be enabled, comma-separated; empty: none.')
param plugins string

@description('DEBUG, INFO, WARNING or ERROR.')
param logLevel string

var abbreviations = loadJsonContent('abbreviations.json')
var isProduction = preset == 'production'
var withAlerts = alerts == 'on' || (alerts == 'auto' && isProduction)
// Turns wait in three quarters of a worker's slots at most: counted to all of them, none would ever be added.
var roomToWaitIn = string(int(maxActivities) * 3 / 4)
var leastReplicas = empty(minReplicas) ? (isProduction ? 2 : 1) : int(minReplicas)
var mostReplicas = empty(maxReplicas) ? (isProduction ? 10 : 3) : int(maxReplicas)
var healthPort = 8081
// The worker ends itself when the drain is over; the platform kills it only if that fails.
var graceAfterDrainSeconds = 15
// Lives as long as the replica, whose containers may die in it.
var journalFolder = '/journal'
var connection = 'Endpoint=${schedulerEndpoint};Authentication=ManagedIdentity;ClientID=${identity.properties.clientId};TaskHub=${taskHubName}'
var settings = [
  {
    name: 'DURABLE_TASK_SCHEDULER_CONNECTION_STRING'
    value: connection
  }
  {
    name: 'MONITOR_MAX_ACTIVITIES'
    value: maxActivities
  }
  {
    name: 'MONITOR_MAX_ORCHESTRATIONS'
    value: maxOrchestrations
  }
  {
    name: 'MONITOR_DRAIN_SECONDS'
    value: drainSeconds
  }
  {
    name: 'MONITOR_HEALTH_HOST'
    value: '0.0.0.0'
  }
  {
    name: 'MONITOR_HEALTH_PORT'
    value: string(healthPort)
  }
  {
    name: 'MONITOR_JOURNAL'
    value: journalFolder
  }
  {
    name: 'LOG_LEVEL'
    value: logLevel
  }
  {
    // Which of the app's identities tokens are of, for telemetry and for checks: it has no other, and still has to say.
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
]
var optionalSettings = [
  {
    name: 'MONITOR_ALLOWED_TARGETS'
    value: allowedTargets
  }
  {
    name: 'MONITOR_ALLOWED_SECRETS'
    value: allowedSecrets
  }
  {
    name: 'MONITOR_ALLOWED_AUDIENCES'
    value: allowedAudiences
  }
  {
    name: 'MONITOR_ALLOWED_VAULTS'
    value: allowedVaults
  }
  {
    name: 'MONITOR_PAGES'
    value: pages
  }
  {
    name: 'MONITOR_PLUGINS'
    value: plugins
  }
]

resource appsEnvironment 'Microsoft.App/managedEnvironments@2026-01-01' existing = {
  name: appsEnvironmentName
}

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: identityName
}

resource applicationInsights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: applicationInsightsName
}

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' existing = {
  name: workspaceName
}

resource worker 'Microsoft.App/containerApps@2026-01-01' = {
  name: '${abbreviations.appContainerApps}worker-${uniqueString(resourceGroup().id)}'
  location: location
  tags: {
    'azd-env-name': environmentName
    'azd-service-name': 'worker'
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
      registries: [
        {
          server: registryEndpoint
          identity: identity.id
        }
      ]
    }
    template: {
      terminationGracePeriodSeconds: int(drainSeconds) + graceAfterDrainSeconds
      containers: [
        {
          name: 'worker'
          image: imageName
          resources: {
            cpu: json('0.5')
            memory: '1Gi'
          }
          env: concat(settings, filter(optionalSettings, setting => !empty(setting.value)))
          probes: [
            {
              type: 'Startup'
              httpGet: {
                path: '/healthz'
                port: healthPort
              }
              periodSeconds: 6
              timeoutSeconds: 5
              failureThreshold: 10
            }
            {
              type: 'Liveness'
              httpGet: {
                path: '/healthz'
                port: healthPort
              }
              periodSeconds: 10
              timeoutSeconds: 5
              failureThreshold: 3
            }
            {
              type: 'Readiness'
              httpGet: {
                path: '/readyz'
                port: healthPort
              }
              periodSeconds: 5
              timeoutSeconds: 3
              failureThreshold: 3
            }
          ]
          volumeMounts: [
            {
              volumeName: 'journal'
              mountPath: journalFolder
            }
          ]
        }
      ]
      volumes: [
        {
          name: 'journal'
          storageType: 'EmptyDir'
        }
      ]
      scale: {
        minReplicas: leastReplicas
        maxReplicas: mostReplicas
        rules: [
          {
            name: 'activities'
            custom: {
              type: 'azure-durabletask-scheduler'
              identity: identity.id
              metadata: {
                endpoint: schedulerEndpoint
                taskhubName: taskHubName
                workItemType: 'Activity'
                maxConcurrentWorkItemsCount: roomToWaitIn
              }
            }
          }
          {
            name: 'orchestrations'
            custom: {
              type: 'azure-durabletask-scheduler'
              identity: identity.id
              metadata: {
                endpoint: schedulerEndpoint
                taskhubName: taskHubName
                workItemType: 'Orchestration'
                maxConcurrentWorkItemsCount: maxOrchestrations
              }
            }
          }
        ]
      }
    }
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: worker
  name: 'to-log-analytics'
  properties: {
    workspaceId: workspace.id
    metrics: [
      {
        category: 'AllMetrics'
        enabled: true
      }
    ]
  }
}

resource atMostReplicas 'Microsoft.Insights/metricAlerts@2018-03-01' = if (withAlerts && mostReplicas > leastReplicas) {
  name: 'replicas-at-maximum'
  location: 'global'
  tags: {
    'azd-env-name': environmentName
  }
  properties: {
    description: 'The worker runs at its most replicas: more work would come late.'
    severity: 2
    enabled: true
    autoMitigate: true
    scopes: [
      worker.id
    ]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'replicas'
          metricNamespace: 'Microsoft.App/containerApps'
          metricName: 'Replicas'
          timeAggregation: 'Minimum'
          operator: 'GreaterThanOrEqual'
          threshold: mostReplicas
          skipMetricValidation: true
        }
      ]
    }
    actions: empty(alertActionGroupId) ? [] : [{ actionGroupId: alertActionGroupId }]
  }
}

@description('Name of the container app, for `az containerapp logs show`.')
output WORKER_APP_NAME string = worker.name
