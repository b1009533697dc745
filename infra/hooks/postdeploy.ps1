# After `azd up` or `azd deploy`: how to start a monitor in Azure. azd puts the outputs into the environment.
$ErrorActionPreference = 'Stop'

Write-Host @"

Start a monitor in Azure, with the login you have, and watch it:

    azd exec python services/client-scheduler/client.py

(It takes the client's dependencies, once: python -m pip install -r services/client-scheduler/requirements.txt)
All monitors: $env:DASHBOARD_URL
"@
