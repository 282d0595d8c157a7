# goexchange host script: sentinel, version 4
param($Arguments)

# What the scheduled task runs. It reads the state file, writes to the event log, and tells whom it is told to.
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
$words = 'The controller of run ' + $state.run + ' has been silent for ' + [int]$silent + ' seconds while '
$what = 'database ' + $state.database
$stands = 'is taken down'
if ($state.what -eq 'copies') { $stands = 'has suspended copies' }
if ($state.what -eq 'server') {
    $what = 'the server'
    $stands = 'is out of service'
}
$words = $words + $what + ' (' + $state.database_guid + ') ' + $stands + '. Read RECOVERY.txt below '
$words = $words + $state.root + '\recovery\' + $state.database_guid + '.'
[System.Diagnostics.EventLog]::WriteEntry($source, $words, [System.Diagnostics.EventLogEntryType]::Error, 4110)
# The event comes every minute, mail and webhook once an hour.
$told = [System.IO.Path]::Combine($folder, $Guid + '.told')
if ([System.IO.File]::Exists($told)) {
    $age = [DateTime]::UtcNow - [System.IO.File]::GetLastWriteTimeUtc($told)
    if ($age.TotalMinutes -lt 60) { exit 0 }
}
[System.IO.File]::WriteAllText($told, $words)
if ($state.mail_server) {
    try {
        $mail = New-Object -TypeName System.Net.Mail.MailMessage
        $mail.From = New-Object -TypeName System.Net.Mail.MailAddress -ArgumentList ([string]$state.mail_from)
        foreach ($one in @($state.mail_to)) { $mail.To.Add([string]$one) }
        $mail.Subject = 'goexchange: ' + $state.database + ' ' + $stands + ' and its controller is silent'
        $mail.Body = $words
        (New-Object -TypeName System.Net.Mail.SmtpClient -ArgumentList ([string]$state.mail_server)).Send($mail)
    }
    catch {
        $why = 'The mail of the sentinel was not sent: ' + $_.Exception.Message
        [System.Diagnostics.EventLog]::WriteEntry($source, $why, [System.Diagnostics.EventLogEntryType]::Warning, 4111)
    }
}
if ($state.webhook) {
    try {
        # 3072 is TLS 1.2, which older defaults leave out.
        [System.Net.ServicePointManager]::SecurityProtocol = [Enum]::ToObject([System.Net.SecurityProtocolType], 3072)
        $fields = @{ event = 4110; database = [string]$state.database; run = [string]$state.run; text = $words }
        $body = [System.Text.Encoding]::UTF8.GetBytes((ConvertTo-Json -InputObject $fields))
        $request = [System.Net.WebRequest]::Create([string]$state.webhook)
        $request.Method = 'POST'
        $request.ContentType = 'application/json'
        $request.Timeout = 30000
        $stream = $request.GetRequestStream()
        $stream.Write($body, 0, $body.Length)
        $stream.Dispose()
        $request.GetResponse().Close()
    }
    catch {
        $why = 'The webhook of the sentinel was not called: ' + $_.Exception.Message
        [System.Diagnostics.EventLog]::WriteEntry($source, $why, [System.Diagnostics.EventLogEntryType]::Warning, 4111)
    }
}
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
    [System.IO.File]::Delete([System.IO.Path]::Combine($folder, $guid + '.told'))
}
else {
    $state = @{
        run = [string]$Arguments.run
        root = [string]$Arguments.root
        database = [string]$Arguments.database
        database_guid = $guid
        what = [string]$Arguments.what
        silent_after_s = [long]$Arguments.silent_after_s
        mail_server = $Arguments.mail_server
        mail_from = $Arguments.mail_from
        mail_to = @($Arguments.mail_to)
        webhook = $Arguments.webhook
        fed_at = Get-GxNow
    }
    Write-GxJson $path $state
}
if ($Arguments.state -eq 'placed') {
    $script = [System.IO.Path]::Combine($folder, 'watch.ps1')
    Write-GxFile $script ($GxUtf8.GetBytes((Add-GxStandIn $watch)))
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
