# Runs one packaged script with stubbed Windows cmdlets, as the bootstrap would, for tests on any real PowerShell.
# Standard input: the three base64 lines of the bootstrap. The stubs answer like an ordinary, private host.
$ErrorActionPreference = 'Stop'
$lines = @($input | ForEach-Object { [string]$_ } | Where-Object { $_ })
$texts = @($lines | ForEach-Object { [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($_)) })

# The library first, then stubs that stand in for what only Windows has.
. ([ScriptBlock]::Create($texts[0]))

$stubTasks = @{}
function Assert-GxRoot([string]$Root) { [void][System.IO.Directory]::CreateDirectory($Root) }
function Get-GxWeakness([string]$Folder) { return '' }
function Get-Acl { param($LiteralPath) return 'acl' }
function Set-Acl { param($LiteralPath, $AclObject) }
function Get-CimInstance {
    param($ClassName, $Filter)
    $moment = [DateTime]::new(2026, 11, 1, 6, 0, 0, 'Utc')
    if ($ClassName -eq 'Win32_OperatingSystem') { return [pscustomobject]@{ LastBootUpTime = $moment } }
    if ($ClassName -eq 'Win32_Process' -and $Filter -eq 'ProcessId = 4') { return [pscustomobject]@{ CreationDate = $moment } }
}
function New-ScheduledTaskAction { param($Execute, $Argument, $WorkingDirectory) return $Argument }
function New-ScheduledTaskTrigger { param([switch]$Once, $At, $RepetitionInterval, $RepetitionDuration) return 'trigger' }
function New-ScheduledTaskPrincipal { param($UserId, $LogonType, $RunLevel) return $UserId }
function New-ScheduledTaskSettingsSet { param($ExecutionTimeLimit, $Priority, $MultipleInstances, [switch]$AllowStartIfOnBatteries, [switch]$DontStopIfGoingOnBatteries, [switch]$StartWhenAvailable) return 'settings' }
function Register-ScheduledTask { param($TaskPath, $TaskName, $Action, $Trigger, $Principal, $Settings, [switch]$Force) $stubTasks[$TaskName] = $Action }
function Unregister-ScheduledTask { param([Parameter(ValueFromPipeline = $true)]$InputObject, [switch]$Confirm) process { $stubTasks.Remove([string]$InputObject) } }
function Get-ScheduledTask { param($TaskPath, $TaskName) if ($TaskName -and $stubTasks.ContainsKey($TaskName)) { return $TaskName } }
function Get-ScheduledTaskInfo { param($InputObject) }
function Start-ScheduledTask { param($TaskPath, $TaskName) }
function Get-WinEvent { param($FilterHashtable, $MaxEvents) return @() }

exit (Invoke-GxScript $texts[1] $texts[2])
