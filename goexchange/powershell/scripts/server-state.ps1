# goexchange host script: server-state, version 1
param($Arguments)

$boot = Get-GxBoot
$services = @()
foreach ($name in @($Arguments.services)) {
    $found = @(Get-Service -Name ([string]$name) -ErrorAction SilentlyContinue)
    $state = 'Missing'
    if ($found.Count -eq 1) { $state = [string]$found[0].Status }
    $services += @{ name = [string]$name; state = $state }
}
@{ boot_id = $boot['id']; services = $services }
