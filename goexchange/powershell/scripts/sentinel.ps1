# goexchange host script: sentinel, version 1
param($Arguments)

# What the scheduled task runs. It only reads the state file and writes to the event log.
$watch = @'
param([string]$Guid)
$ErrorActionPreference = 'Stop'
$folder = Split-Path -Parent $MyInvocation.MyCommand.Path
$path = [System.IO.Path]::Combine($folder, $Guid + '.json')
if (-not [System.IO.File]::Exists($path)) { exit 0 }
$state = ConvertFrom-Json -InputObject ([System.IO.File]::ReadAllText($path))
$culture = [System.Globalization.CultureInfo]::InvariantCulture
$fed = [DateTime]::Parse([string]$state.fed_at, $culture).ToUniversalTime()
$silent = ([DateTime]::UtcNow - $fed).TotalSeconds
if ($silent -lt [double]$state.silent_after_s) { exit 0 }
$source = 'goexchange'
if (-not [System.Diagnostics.EventLog]::SourceExists($source)) {
    [System.Diagnostics.EventLog]::CreateEventSource($source, 'Application')
}
$words = 'The controller of run ' + $state.run + ' has been silent for ' + [int]$silent + ' seconds while database '
$words = $words + $state.database + ' (' + $state.database_guid + ') is taken down. Read RECOVERY.txt below '
$words = $words + $state.root + '\recovery\' + $state.database_guid + '.'
[System.Diagnostics.EventLog]::WriteEntry($source, $words, [System.Diagnostics.EventLogEntryType]::Error, 4110)
'@

Assert-GxFence $Arguments.root $Arguments.fence
$guid = Assert-GxGuid $Arguments.database_guid
$folder = New-GxFolder $Arguments.root @('sentinels')
$path = [System.IO.Path]::Combine($folder, $guid + '.json')
$name = 'sentinel-' + $guid

if ($Arguments.state -eq 'removed') {
    $tasks = @(Get-ScheduledTask -TaskPath $GxTaskPath -TaskName $name -ErrorAction SilentlyContinue)
    $tasks | Unregister-ScheduledTask -Confirm:$false
    [System.IO.File]::Delete($path)
}
else {
    $state = @{
        run = [string]$Arguments.run
        root = [string]$Arguments.root
        database = [string]$Arguments.database
        database_guid = $guid
        silent_after_s = [long]$Arguments.silent_after_s
        fed_at = Get-GxNow
    }
    Write-GxJson $path $state
}
if ($Arguments.state -eq 'placed') {
    $script = [System.IO.Path]::Combine($folder, 'watch.ps1')
    Write-GxFile $script ($GxUtf8.GetBytes($watch))
    $words = '-NoProfile -NonInteractive -ExecutionPolicy Bypass -File "' + $script + '" -Guid ' + $guid
    $action = New-ScheduledTaskAction -Execute $GxShell -Argument $words
    $start = [DateTime]::Now.AddMinutes(1)
    $every = [TimeSpan]::FromMinutes(1)
    $long = [TimeSpan]::FromDays(3650)
    $trigger = New-ScheduledTaskTrigger -Once -At $start -RepetitionInterval $every -RepetitionDuration $long
    $account = New-ScheduledTaskPrincipal -UserId 'S-1-5-18' -LogonType ServiceAccount -RunLevel Highest
    $limit = [TimeSpan]::FromMinutes(5)
    $settings = New-ScheduledTaskSettingsSet -ExecutionTimeLimit $limit -MultipleInstances IgnoreNew -StartWhenAvailable
    $task = @{
        TaskPath = $GxTaskPath
        TaskName = $name
        Action = $action
        Trigger = $trigger
        Principal = $account
        Settings = $settings
    }
    [void](Register-ScheduledTask @task -Force)
}
$present = @(Get-ScheduledTask -TaskPath $GxTaskPath -TaskName $name -ErrorAction SilentlyContinue)
@{ task = ($GxTaskPath + $name); is_present = ($present.Count -gt 0) }
