# goexchange host script: start-job, version 2
param($Arguments)

Assert-GxFence $Arguments.root $Arguments.fence
$name = Get-GxName $Arguments.job
$folder = New-GxFolder $Arguments.root @('jobs', $name)
$requestPath = [System.IO.Path]::Combine($folder, 'request.json')
$runnerPath = [System.IO.Path]::Combine($folder, 'runner.ps1')
$startedPath = [System.IO.Path]::Combine($folder, 'started.json')

# The same id always has the same request: an existing one stays, and only its start is made sure of.
$state = 'exists'
if (-not [System.IO.File]::Exists($requestPath)) {
    $state = 'started'
    foreach ($path in @($Arguments.request.must_not_exist)) {
        if ($path -and (Test-Path -LiteralPath $path)) { Stop-Gx 'path-exists' ('already there: ' + $path) }
    }
    Write-GxFile $runnerPath (Expand-GxContent ([string]$Arguments.runner))
    Write-GxJson $requestPath @{
        job = [string]$Arguments.job
        kind = [string]$Arguments.kind
        request = $Arguments.request
    }
}
if (-not [System.IO.File]::Exists($startedPath)) {
    $words = '-NoProfile -NonInteractive -ExecutionPolicy Bypass -File "' + $runnerPath + '"'
    $action = New-ScheduledTaskAction -Execute $GxShell -Argument $words -WorkingDirectory $folder
    $account = New-ScheduledTaskPrincipal -UserId 'S-1-5-18' -LogonType ServiceAccount -RunLevel Highest
    # The defaults would end the job after 72 hours and give it low disk priority (7).
    $rules = @{
        ExecutionTimeLimit = [TimeSpan]::Zero
        Priority = 5
        MultipleInstances = 'IgnoreNew'
        AllowStartIfOnBatteries = $true
        DontStopIfGoingOnBatteries = $true
    }
    $settings = New-ScheduledTaskSettingsSet @rules
    $task = @{
        TaskPath = $GxTaskPath
        TaskName = ('job-' + $name)
        Action = $action
        Principal = $account
        Settings = $settings
    }
    [void](Register-ScheduledTask @task -Force)
    Start-ScheduledTask -TaskPath $GxTaskPath -TaskName ('job-' + $name)
}
@{ state = $state; folder = $folder }
