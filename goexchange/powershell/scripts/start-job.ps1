# goexchange host script: start-job, version 3
param($Arguments)

# --- a named account: a group managed one, or one whose password the task stores -----------------

# What Windows says of a logon as a batch job, for the refusals that people meet.
function Get-Words([int]$Code) {
    $number = $Code -band 65535
    $known = @{
        1 = 'its program ended at once: it may not read what lies in the folder of the job'
        1311 = 'no domain controller can be asked'
        1312 = 'this host does not let tasks store credentials: see the policy "Network access: Do not allow storage of passwords and credentials for network authentication"'
        1326 = 'the user name or the password is not right; of a managed account: it is not installed on this host'
        1327 = 'the account is restricted'
        1330 = 'its password has expired'
        1331 = 'the account is disabled'
        1385 = 'it has not the right to log on as a batch job on this host'
        1793 = 'the account has expired'
        1909 = 'the account is locked'
    }
    if ($known.ContainsKey($number)) { return ($known[$number] + ' (' + $number + ')') }
    return ('Windows says 0x' + $Code.ToString('x8'))
}

function Get-Number($Exception) {
    $inner = $Exception
    while ($null -ne $inner.InnerException) { $inner = $inner.InnerException }
    return [System.Runtime.InteropServices.Marshal]::GetHRForException($inner)
}

function Stop-Refused([string]$User, [string]$Why) {
    Stop-Gx 'account-refused' ('no task can be run as ' + $User + ': ' + $Why)
}

# It writes its progress there; what lies beside it stays closed to it.
function Grant-Folder([string]$Path, [string]$User) {
    $name = New-Object -TypeName System.Security.Principal.NTAccount -ArgumentList $User
    try { $sid = $name.Translate([System.Security.Principal.SecurityIdentifier]) }
    catch { Stop-Refused $User 'this host knows no such account' }
    $grant = @($sid, 'Modify', 'ContainerInherit, ObjectInherit', 'None', 'Allow')
    $rule = New-Object -TypeName System.Security.AccessControl.FileSystemAccessRule -ArgumentList $grant
    $info = New-Object -TypeName System.IO.DirectoryInfo -ArgumentList $Path
    $security = $info.GetAccessControl()
    $security.AddAccessRule($rule)
    $info.SetAccessControl($security)
}

# Where the directory cannot be asked (a session has no rights beyond this host), the start itself tells.
function Assert-Installed([string]$User) {
    if ($GxHasNoTasks) { Stop-Refused $User 'managed accounts of a group need Windows Server 2012 or later' }
    if ($null -eq (Get-Command -Name Test-ADServiceAccount -ErrorAction SilentlyContinue)) { return }
    $name = @($User -split '\\')[-1].TrimEnd('$')
    $answer = $true
    try { $answer = [bool](Test-ADServiceAccount -Identity $name -WarningAction SilentlyContinue) }
    catch { return }
    if (-not $answer) {
        Stop-Refused $User ('it is not installed on this host, or the host may not fetch its password (Test-ADServiceAccount -Identity ' + $name + ')')
    }
}

# By the scheduler's own objects: parameters of cmdlets can be logged, arguments of methods are not.
function Register-As($Scheduler, [string]$Name, [string]$Folder, [string]$Words, $Account) {
    $task = $Scheduler.NewTask(0)
    # 1 is a logon with a password, stored or managed; 1 the highest rights; 2 to ignore a second start.
    $task.Principal.UserId = [string]$Account.user
    $task.Principal.LogonType = 1
    $task.Principal.RunLevel = 1
    $task.Settings.MultipleInstances = 2
    $task.Settings.ExecutionTimeLimit = 'PT0S'
    $task.Settings.Priority = 5
    $task.Settings.DisallowStartIfOnBatteries = $false
    $task.Settings.StopIfGoingOnBatteries = $false
    $command = $task.Actions.Create(0)
    $command.Path = $GxShell
    $command.Arguments = $Words
    $command.WorkingDirectory = $Folder
    $path = $GxTaskPath.TrimEnd('\')
    try { $below = $Scheduler.GetFolder($path) }
    catch { $below = $Scheduler.GetFolder('\').CreateFolder($path) }
    $password = $null
    if (-not $Account.is_managed) { $password = $GxSecret }
    # 6 is to make or replace.
    [void]$below.RegisterTaskDefinition($Name, $task, 6, [string]$Account.user, $password, 1)
    return $below
}

# A task whose logon fails starts nothing and says nothing: its last result tells.
function Wait-Begun($Below, [string]$Name, [string]$StartedPath, [string]$User) {
    $waiting = @(0, 267008, 267009, 267010, 267011, 267045)
    for ($look = 0; $look -lt 40; $look++) {
        if ([System.IO.File]::Exists($StartedPath)) { return }
        $code = [int]$Below.GetTask($Name).LastTaskResult
        if ($waiting -notcontains $code) {
            $Below.DeleteTask($Name, 0)
            Stop-Refused $User (Get-Words $code)
        }
        Start-Sleep -Milliseconds 500
    }
}

function Start-As([string]$Name, [string]$Folder, [string]$Words, $Account) {
    $user = [string]$Account.user
    if ([Environment]::OSVersion.Version.Major -lt 6) { Stop-Refused $user 'the tasks of this Windows run as SYSTEM only' }
    if ($Account.is_managed) { Assert-Installed $user }
    elseif (-not $GxSecret) { Stop-Refused $user 'no password came with the call' }
    Grant-Folder $Folder $user
    $scheduler = New-Object -ComObject Schedule.Service
    $scheduler.Connect()
    $below = $null
    try {
        $below = Register-As $scheduler $Name $Folder $Words $Account
        [void]$below.GetTask($Name).Run($null)
    }
    catch {
        if ($null -ne $below) { $below.DeleteTask($Name, 0) }
        Stop-Refused $user (Get-Words (Get-Number $_.Exception))
    }
    Wait-Begun $below $Name ([System.IO.Path]::Combine($Folder, 'started.json')) $user
}

# --- the job -------------------------------------------------------------------------------------

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
    if ($Arguments.account) {
        Start-As ('job-' + $name) $folder $words $Arguments.account
    }
    else {
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
}
@{ state = $state; folder = $folder }
