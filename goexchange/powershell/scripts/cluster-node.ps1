# goexchange host script: cluster-node, version 1
param($Arguments)

# The cluster cmdlets come with RSAT-Clustering-PowerShell, which a member of an availability group has.
function Find-Node {
    $found = @(Get-ClusterNode -Name ([string]$Arguments.node))
    if ($found.Count -ne 1) { Stop-Gx 'no-cluster' ([string]$found.Count + ' cluster nodes are called ' + $Arguments.node) }
    return $found[0]
}

Assert-GxFence $Arguments.root $Arguments.fence
try {
    Import-Module -Name FailoverClusters
    $node = Find-Node
}
catch {
    if (Get-GxCode $_.Exception) { throw }
    Stop-Gx 'no-cluster' ('the cluster does not answer: ' + $_.Exception.Message)
}
$folder = New-GxFolder $Arguments.root @('maintenance')
$path = [System.IO.Path]::Combine($folder, 'node.json')
$run = [string]$Arguments.run
$was = $null
if ([System.IO.File]::Exists($path)) {
    $kept = Read-GxJson $path
    # The record of another run tells what was before that one, and not before this.
    if ([string]$kept.run -eq $run) { $was = [string]$kept.state }
}
$isAsWanted = $true
if ([string]$Arguments.wanted -eq 'paused') {
    if ($null -eq $was) {
        $was = [string]$node.State
        Write-GxJson $path @{ run = $run; node = [string]$Arguments.node; state = $was }
    }
    if ([string]$node.State -eq 'Up') { [void](Suspend-ClusterNode -Name ([string]$Arguments.node)) }
    $node = Find-Node
    $isAsWanted = [string]$node.State -eq 'Paused'
}
else {
    if ($was -eq 'Up' -and [string]$node.State -eq 'Paused') { [void](Resume-ClusterNode -Name ([string]$Arguments.node)) }
    $node = Find-Node
    if ($null -ne $was) { $isAsWanted = [string]$node.State -eq $was }
    if ($isAsWanted -and $null -ne $was) { [System.IO.File]::Delete($path) }
}
@{ was = $was; state = [string]$node.State; is_as_wanted = $isAsWanted }
