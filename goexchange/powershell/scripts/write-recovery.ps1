# goexchange host script: write-recovery, version 1
param($Arguments)

Assert-GxFence $Arguments.root $Arguments.fence
$guid = Assert-GxGuid $Arguments.database_guid
$folder = New-GxFolder $Arguments.root @('recovery', $guid, (Get-GxName $Arguments.run))
$path = [System.IO.Path]::Combine($folder, 'record.json')

# The record keeps the moment of its first opening, whatever is written into it later.
$opened = Get-GxNow
if ([System.IO.File]::Exists($path)) {
    $culture = [System.Globalization.CultureInfo]::InvariantCulture
    $before = Read-GxJson $path
    $opened = ConvertTo-GxTime ([DateTime]::Parse([string]$before.opened_at, $culture))
}
$phase = [string]$Arguments.state
if ($null -ne $Arguments.content.phase) { $phase = [string]$Arguments.content.phase }

# The text for people first: a record without it would send nobody anywhere.
Write-GxFile ([System.IO.Path]::Combine($folder, 'RECOVERY.txt')) ($GxUtf8.GetBytes([string]$Arguments.text))
$record = @{
    run = [string]$Arguments.run
    database_guid = $guid
    state = [string]$Arguments.state
    opened_at = $opened
    written_at = Get-GxNow
    phase = $phase
    content = $Arguments.content
}
Write-GxJson $path $record
@{ folder = $folder }
