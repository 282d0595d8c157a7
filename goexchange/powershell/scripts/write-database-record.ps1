# goexchange host script: write-database-record, version 1
param($Arguments)

Assert-GxFence $Arguments.root $Arguments.fence
$guid = Assert-GxGuid $Arguments.database_guid
$folder = New-GxFolder $Arguments.root @('databases')
$path = [System.IO.Path]::Combine($folder, $guid + '.json')
Write-GxJson $path $Arguments.record
@{ path = $path }
