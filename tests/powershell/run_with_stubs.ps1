# Runs one packaged script with stubbed Windows cmdlets, as the bootstrap would, on any real PowerShell.
# Standard input: the three base64 lines of the bootstrap. The stubs answer like an ordinary, private host.
$ErrorActionPreference = 'Stop'
$lines = $input | ForEach-Object { ([string]$_) -replace '[^A-Za-z0-9+/=]', '' }
$bytes = @($lines | Where-Object { $_ } | ForEach-Object { , [Convert]::FromBase64String($_) })
$texts = @($bytes | ForEach-Object { [Text.Encoding]::UTF8.GetString($_) })

# The library first, then stubs that stand in for what only Windows has.
. ([ScriptBlock]::Create($texts[0]))

$stubTasks = @{}
$stubBoot = New-Object -TypeName System.DateTime -ArgumentList @(2026, 11, 1, 6, 0, 0, [System.DateTimeKind]::Utc)

function Assert-GxRoot([string]$Root) {
    [void][System.IO.Directory]::CreateDirectory($Root)
}

function Get-GxWeakness([string]$Folder) {
    return ''
}

function Get-Acl($LiteralPath) {
    return 'acl'
}

function Set-Acl($LiteralPath, $AclObject) {
}

function Get-CimInstance($ClassName, $Filter) {
    if ($ClassName -eq 'Win32_OperatingSystem') { return (New-Object -TypeName PSObject -Property @{ LastBootUpTime = $stubBoot }) }
    if ($Filter -eq 'ProcessId = 4') { return (New-Object -TypeName PSObject -Property @{ CreationDate = $stubBoot }) }
}

function New-ScheduledTaskAction($Execute, $Argument, $WorkingDirectory) {
    return $Argument
}

function New-ScheduledTaskTrigger([switch]$Once, $At, $RepetitionInterval, $RepetitionDuration) {
    return 'trigger'
}

function New-ScheduledTaskPrincipal($UserId, $LogonType, $RunLevel) {
    return $UserId
}

function New-ScheduledTaskSettingsSet($ExecutionTimeLimit, $Priority, $MultipleInstances, [switch]$AllowStartIfOnBatteries, [switch]$DontStopIfGoingOnBatteries, [switch]$StartWhenAvailable) {
    return 'settings'
}

function Register-ScheduledTask($TaskPath, $TaskName, $Action, $Trigger, $Principal, $Settings, [switch]$Force) {
    $stubTasks[$TaskName] = $Action
}

function Unregister-ScheduledTask([switch]$Confirm) {
    foreach ($name in @($input)) { $stubTasks.Remove([string]$name) }
}

function Get-ScheduledTask($TaskPath, $TaskName) {
    if ($TaskName -and $stubTasks.ContainsKey($TaskName)) { return $TaskName }
}

function Start-ScheduledTask($TaskPath, $TaskName) {
}

function Get-WinEvent($FilterHashtable, $MaxEvents) {
    return @()
}

exit (Invoke-GxScript $texts[1] $texts[2])
