# goexchange host script: legacy, version 1
# Stands before the library. What Windows PowerShell 2.0 and Windows before 2012 lack gets a stand-in here, of the same
# name and as far as the host scripts use it; on newer hosts nothing of this is defined. Not confirmed on a real host.

$GxIsOld = $PSVersionTable.PSVersion.Major -lt 3
$GxHasNoTasks = [string][Environment]::OSVersion.Platform -eq 'Win32NT' -and [Environment]::OSVersion.Version -lt [Version]'6.2'

if ($GxIsOld) {
    [void][System.Reflection.Assembly]::LoadWithPartialName('System.Web.Extensions')

    # Written by hand: the serialiser of .NET 3.5 follows PowerShell's wrappers round in circles.
    function ConvertTo-GxJsonText($Value) {
        if ($null -eq $Value) { return 'null' }
        $plain = $Value.PSObject.BaseObject
        if ($plain -is [bool]) { return $plain.ToString().ToLowerInvariant() }
        if ($plain -is [string] -or $plain -is [char]) {
            $escape = { param($Match) '\u' + ([int][char]$Match.Value).ToString('x4') }
            return '"' + [regex]::Replace([string]$plain, '[^ !#-\[\]-~]', $escape) + '"'
        }
        if ($plain -is [System.Collections.IDictionary]) {
            $members = @()
            foreach ($key in @($plain.Keys)) {
                $members += (ConvertTo-GxJsonText ([string]$key)) + ':' + (ConvertTo-GxJsonText $plain[$key])
            }
            return '{' + ($members -join ',') + '}'
        }
        if ($plain -is [System.Collections.IEnumerable]) {
            $items = @()
            foreach ($item in $plain) { $items += ConvertTo-GxJsonText $item }
            return '[' + ($items -join ',') + ']'
        }
        if ($plain -is [DateTime] -or $plain -is [Enum]) { throw 'neither times nor names of kinds go into JSON' }
        return ([System.IFormattable]$plain).ToString($null, [System.Globalization.CultureInfo]::InvariantCulture)
    }

    function ConvertTo-Json($InputObject, [int]$Depth, [switch]$Compress) {
        return ConvertTo-GxJsonText $InputObject
    }

    function ConvertFrom-GxPlain($Value) {
        if ($Value -is [System.Collections.IDictionary]) {
            $table = @{}
            foreach ($key in @($Value.Keys)) { $table[[string]$key] = ConvertFrom-GxPlain $Value[$key] }
            return $table
        }
        if ($Value -is [System.Collections.IEnumerable] -and $Value -isnot [string]) {
            $items = New-Object -TypeName System.Collections.ArrayList
            foreach ($item in $Value) { [void]$items.Add((ConvertFrom-GxPlain $item)) }
            return , $items.ToArray()
        }
        return $Value
    }

    function ConvertFrom-Json($InputObject) {
        $reader = New-Object -TypeName System.Web.Script.Serialization.JavaScriptSerializer
        $reader.MaxJsonLength = 268435456
        $reader.RecursionLimit = 64
        return ConvertFrom-GxPlain ($reader.DeserializeObject([string]$InputObject))
    }

    # Times come as texts of WMI's own, and what belongs together as paths of objects.
    function Get-GxMoment($From, $Text) {
        if (-not $Text) { return $null }
        return $From.ConvertToDateTime($Text)
    }

    function Get-GxKey([string]$Path) {
        $match = [regex]::Match($Path, '="(.*)"$')
        if (-not $match.Success) { throw ('not the path of an object: ' + $Path) }
        return $match.Groups[1].Value.Replace('\\', '\')
    }

    function Get-CimInstance($ClassName, $Filter) {
        $form = @{ Class = $ClassName }
        if ($Filter) { $form['Filter'] = $Filter }
        foreach ($one in @(Get-WmiObject @form)) {
            if ($null -eq $one) { continue }
            switch ($ClassName) {
                'Win32_OperatingSystem' { @{ LastBootUpTime = (Get-GxMoment $one $one.LastBootUpTime) } }
                'Win32_Process' {
                    @{
                        ProcessId = $one.ProcessId
                        ParentProcessId = $one.ParentProcessId
                        Name = $one.Name
                        CommandLine = $one.CommandLine
                        CreationDate = (Get-GxMoment $one $one.CreationDate)
                        KernelModeTime = $one.KernelModeTime
                        UserModeTime = $one.UserModeTime
                    }
                }
                'Win32_NTLogEvent' {
                    @{
                        Logfile = $one.Logfile
                        SourceName = $one.SourceName
                        EventCode = $one.EventCode
                        TimeGenerated = (Get-GxMoment $one $one.TimeGenerated)
                        Message = $one.Message
                    }
                }
                'Win32_MountPoint' {
                    @{ Volume = @{ DeviceID = (Get-GxKey $one.Volume) }; Directory = @{ Name = (Get-GxKey $one.Directory) } }
                }
                default { $one }
            }
        }
    }
}

if ($GxHasNoTasks) {
    # The cmdlets of Windows Server Backup were a snap-in before they were a module.
    Add-PSSnapin -Name Windows.ServerBackup -ErrorAction SilentlyContinue

    function Connect-GxTasks {
        $service = New-Object -ComObject Schedule.Service
        $service.Connect()
        return $service
    }

    function New-ScheduledTaskAction($Execute, $Argument, $WorkingDirectory) {
        return @{ Execute = $Execute; Argument = $Argument; WorkingDirectory = $WorkingDirectory }
    }

    function New-ScheduledTaskPrincipal($UserId, $LogonType, $RunLevel) {
        if ($UserId -ne 'S-1-5-18' -or $LogonType -ne 'ServiceAccount') { throw 'tasks of ours run as SYSTEM' }
        return @{ UserId = $UserId }
    }

    function New-ScheduledTaskSettingsSet(
        [TimeSpan]$ExecutionTimeLimit, $Priority, $MultipleInstances,
        [switch]$AllowStartIfOnBatteries, [switch]$DontStopIfGoingOnBatteries, [switch]$StartWhenAvailable
    ) {
        if ($MultipleInstances -ne 'IgnoreNew') { throw 'tasks of ours run once at a time' }
        return @{ Limit = $ExecutionTimeLimit; Priority = $Priority; IsCaughtUp = [bool]$StartWhenAvailable }
    }

    function New-ScheduledTaskTrigger([switch]$Once, $At, $RepetitionInterval, $RepetitionDuration) {
        return @{ At = $At; Interval = $RepetitionInterval; Duration = $RepetitionDuration }
    }

    function Register-ScheduledTask($TaskPath, $TaskName, $Action, $Principal, $Settings, $Trigger, [switch]$Force) {
        $service = Connect-GxTasks
        $task = $service.NewTask(0)
        # 5 is a service's logon, 1 the highest rights, 2 to ignore a second start, 6 to make or replace.
        $task.Principal.UserId = 'SYSTEM'
        $task.Principal.LogonType = 5
        $task.Principal.RunLevel = 1
        $task.Settings.MultipleInstances = 2
        $task.Settings.ExecutionTimeLimit = [System.Xml.XmlConvert]::ToString($Settings['Limit'])
        $task.Settings.DisallowStartIfOnBatteries = $false
        $task.Settings.StopIfGoingOnBatteries = $false
        $task.Settings.StartWhenAvailable = $Settings['IsCaughtUp']
        if ($null -ne $Settings['Priority']) { $task.Settings.Priority = [int]$Settings['Priority'] }
        $command = $task.Actions.Create(0)
        $command.Path = [string]$Action['Execute']
        $command.Arguments = [string]$Action['Argument']
        if ($Action['WorkingDirectory']) { $command.WorkingDirectory = [string]$Action['WorkingDirectory'] }
        if ($null -ne $Trigger) {
            $clock = $task.Triggers.Create(1)
            $clock.StartBoundary = ([DateTime]$Trigger['At']).ToString('s')
            $clock.Repetition.Interval = [System.Xml.XmlConvert]::ToString([TimeSpan]$Trigger['Interval'])
            $clock.Repetition.Duration = [System.Xml.XmlConvert]::ToString([TimeSpan]$Trigger['Duration'])
        }
        $name = $TaskPath.TrimEnd('\')
        try { $folder = $service.GetFolder($name) }
        catch { $folder = $service.GetFolder('\').CreateFolder($name) }
        return $folder.RegisterTaskDefinition($TaskName, $task, 6, 'SYSTEM', $null, 5)
    }

    function Get-GxTasksBelow($Folder) {
        # 1 is for hidden ones too.
        foreach ($task in @($Folder.GetTasks(1))) {
            if ($null -ne $task) { ConvertTo-GxTask $task }
        }
        foreach ($below in @($Folder.GetFolders(0))) {
            if ($null -ne $below) { Get-GxTasksBelow $below }
        }
    }

    function ConvertTo-GxTask($Task) {
        $words = @('Unknown', 'Disabled', 'Queued', 'Ready', 'Running')
        $actions = @()
        foreach ($action in @($Task.Definition.Actions)) {
            if ($null -ne $action -and $action.Type -eq 0) { $actions += @{ Execute = $action.Path; Arguments = $action.Arguments } }
        }
        $path = [string]$Task.Path
        return @{
            TaskPath = $path.Substring(0, $path.LastIndexOf('\') + 1)
            TaskName = [string]$Task.Name
            State = $words[[int]$Task.State]
            Actions = @($actions)
            NextRunTime = $Task.NextRunTime
        }
    }

    function Get-ScheduledTask {
        [CmdletBinding()]
        param($TaskPath, $TaskName)
        $service = Connect-GxTasks
        if (-not $TaskName) { return Get-GxTasksBelow ($service.GetFolder('\')) }
        try { $task = $service.GetFolder($TaskPath.TrimEnd('\')).GetTask($TaskName) }
        catch { return }
        return ConvertTo-GxTask $task
    }

    function Get-ScheduledTaskInfo($InputObject) {
        return @{ NextRunTime = $InputObject['NextRunTime'] }
    }

    function Unregister-ScheduledTask($Confirm) {
        process {
            if ($null -ne $_) {
                $folder = (Connect-GxTasks).GetFolder($_['TaskPath'].TrimEnd('\'))
                $folder.DeleteTask($_['TaskName'], 0)
            }
        }
    }

    function Start-ScheduledTask($TaskPath, $TaskName) {
        [void](Connect-GxTasks).GetFolder($TaskPath.TrimEnd('\')).GetTask($TaskName).Run($null)
    }

    # Windows Server 2003 has an older scheduler. What a task would run becomes a process of its own there, by WMI, which
    # outlives the connection; under the account of the call. One with a trigger repeats itself until Windows restarts.
    if ([Environment]::OSVersion.Version.Major -lt 6) {
        $GxTaskActions = @{}

        function Start-GxProcess([string]$Line, $Folder) {
            $made = ([wmiclass]'Win32_Process').Create($Line, $Folder)
            if ($made.ReturnValue -ne 0) { throw ('the process could not be started: ' + $made.ReturnValue) }
        }

        function Find-GxSentinel([string]$TaskName) {
            $words = '-Guid ' + $TaskName.Replace('sentinel-', '')
            foreach ($one in @(Get-WmiObject -Class Win32_Process -Filter "Name = 'cmd.exe'")) {
                if ($null -ne $one -and ([string]$one.CommandLine).Contains($words)) { $one }
            }
        }

        function Register-ScheduledTask($TaskPath, $TaskName, $Action, $Principal, $Settings, $Trigger, [switch]$Force) {
            if ($null -eq $Trigger) {
                $GxTaskActions[$TaskName] = $Action
                return
            }
            if (@(Find-GxSentinel $TaskName).Count -gt 0) { return }
            $inner = 'ping.exe -n 61 127.0.0.1 >nul & ' + [string]$Action['Execute'] + ' ' + [string]$Action['Argument']
            Start-GxProcess ('cmd.exe /d /c for /l %i in (1,0,2) do (' + $inner + ')') $Action['WorkingDirectory']
        }

        function Start-ScheduledTask($TaskPath, $TaskName) {
            $action = $GxTaskActions[$TaskName]
            Start-GxProcess ([string]$action['Execute'] + ' ' + [string]$action['Argument']) $action['WorkingDirectory']
        }

        function Get-ScheduledTask {
            [CmdletBinding()]
            param($TaskPath, $TaskName)
            if (-not $TaskName) { throw 'the scheduled tasks of this Windows cannot be listed' }
            foreach ($one in @(Find-GxSentinel $TaskName)) { @{ TaskPath = $TaskPath; TaskName = $TaskName; Id = $one.ProcessId } }
        }

        function Unregister-ScheduledTask($Confirm) {
            process {
                if ($null -ne $_) { Stop-Process -Id $_['Id'] -Force }
            }
        }
    }
}
