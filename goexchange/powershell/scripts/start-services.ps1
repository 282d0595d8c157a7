# goexchange host script: start-services, version 1
param($Arguments)

Assert-GxFence $Arguments.root $Arguments.fence
$services = @()
foreach ($name in @($Arguments.services)) {
    $found = @(Get-Service -Name ([string]$name) -ErrorAction SilentlyContinue)
    if ($found.Count -ne 1) { Stop-Gx 'no-service' ('there is no service ' + $name) }
    if ([string]$found[0].Status -ne 'Running') { Start-Service -Name ([string]$name) }
    $services += @{ name = [string]$name; state = [string](Get-Service -Name ([string]$name)).Status }
}
@{ services = $services }
